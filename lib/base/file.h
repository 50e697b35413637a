// Reading whole files with a limit, and writing them so that a reader never sees half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace nestling {

// The largest file that is read into memory at once.
inline constexpr uint64_t kMaxFileBytes = uint64_t{4} << 30;

// The whole content of `path`. Throws Error if it is missing, a folder, unreadable, or larger than
// `max_bytes` (checked before memory is asked for).
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = kMaxFileBytes);

// Writes `bytes` to a temporary file beside `path`, syncs it and renames it over `path`: after a
// crash or on a full disk the old file (or none) is there, never a part of the new one.
// Throws Error and removes the temporary file on failure. What processes that were killed here have
// left is removed, too.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Whether `path` is a temporary file of write_file(target).
bool is_temporary_file(const std::filesystem::path& path, const std::filesystem::path& target);

// Throws Error unless a file can be written at `path`: its folder exists and it is not a folder
// itself. Tools call it before hours of work.
void check_writable(const std::filesystem::path& path);

// SHA-256 in lower-case hexadecimal.
std::string sha256(std::string_view bytes);

}  // namespace nestling

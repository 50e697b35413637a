#include "base/file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"

namespace nestling {
namespace {

// Ends, with the writing process's number, the name of a file that is being written.
constexpr const char* kTemporary = ".tmp";

// Owns a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason() { return std::generic_category().message(errno); }

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("cannot write {}: {}", path.string(), reason());
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// Creates the temporary file and holds it by a lock that dies with this process.
int create_locked(const std::filesystem::path& path) {
  for (;;) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return file;
    struct stat status {};
    const bool locked = ::flock(file, LOCK_EX) == 0;  // not every file system can
    if (!locked || ::fstat(file, &status) != 0 || status.st_nlink > 0) return file;
    ::close(file);  // taken for abandoned before it was locked
  }
}

// Removes the temporary files of `target` that nobody holds.
void remove_abandoned(const std::filesystem::path& folder, const std::filesystem::path& target) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; at != end; at.increment(error)) {
    if (error) break;
    if (!is_temporary_file(at->path(), target)) continue;
    const Descriptor file(::open(at->path().c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      ::unlink(at->path().c_str());
    }
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    fail("cannot open {}: {}", path.string(), reason());
  }
  if (S_ISDIR(status.st_mode)) fail("{} is a folder; a file is expected", path.string());
  if (!S_ISREG(status.st_mode)) fail("{} is not a regular file", path.string());
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > max_bytes) {
    fail("{} has {} bytes; at most {} are accepted", path.string(), size, max_bytes);
  }
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read {}: {}", path.string(), reason());
    if (count == 0) break;  // the file shrank meanwhile: its reader judges what is there
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void check_writable(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    fail("{} is a folder; name a file to write", path.string());
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, error)) {
    fail("cannot write {}: the folder {} does not exist", path.string(), folder.string());
  }
  if (::access(folder.c_str(), W_OK) != 0) fail("cannot write {}: {}", path.string(), reason());
}

bool is_temporary_file(const std::filesystem::path& path, const std::filesystem::path& target) {
  const std::string name = path.filename().string();
  const std::string prefix = target.filename().string() + kTemporary;
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  check_writable(path);
  std::filesystem::path temporary = path;
  temporary += kTemporary + std::to_string(::getpid());
  try {
    const Descriptor file(create_locked(temporary));
    if (file.get() < 0) fail("cannot write {}: {}", path.string(), reason());
    write_all(file.get(), bytes, path);
    if (::fsync(file.get()) != 0) fail("cannot write {}: {}", path.string(), reason());
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      fail("cannot write {}: {}", path.string(), reason());
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  // The rename itself is durable once the folder is synced; a file system that cannot is no error.
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
  remove_abandoned(folder, path);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    fail("cannot compute a SHA-256 digest");
  }
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace nestling

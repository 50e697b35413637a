#include "base/run_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace nestling {
namespace fs = std::filesystem;

FolderLock::FolderLock(const fs::path& path)
    : folder_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_ < 0) fail("cannot open the folder {}: {}", path.string(), std::strerror(errno));
  if (::flock(folder_, LOCK_EX | LOCK_NB) != 0) {
    ::close(folder_);
    fail("the run {} is in use by another process; wait for it to end", path.string());
  }
}

FolderLock::~FolderLock() { ::close(folder_); }

RunDirectory::RunDirectory(fs::path path, const std::string& file, const Json& settings,
                           Progress& progress, const std::vector<std::string>& discard)
    : path_(std::move(path)) {
  // As a file has them: JSON knows no infinity.
  const Json wanted = parse_json(json_text(settings), "the settings of a run");
  std::error_code error;
  if (fs::exists(path_, error) && !fs::is_directory(path_, error)) {
    fail("{} is a file; a folder for the run is expected", path_.string());
  }
  fs::create_directories(path_, error);
  if (error) fail("cannot create the folder {}: {}", path_.string(), error.message());
  lock_.emplace(path_);
  const fs::path settings_path = path_ / file;
  bool ours = fs::exists(settings_path, error) || fs::exists(path_ / "run.json", error);
  if (!ours) {
    // Killed before the settings were there, a run leaves their temporary file and nothing else.
    fs::directory_iterator files(path_, error);
    ours = std::all_of(fs::begin(files), fs::end(files), [&](const fs::directory_entry& entry) {
      return is_temporary_file(entry.path(), settings_path);
    });
  }
  if (!ours) fail("{} is not empty and holds no run; choose a new folder", path_.string());
  for (const std::string& name : discard) {
    fs::remove_all(path_ / name, error);
    if (error) fail("cannot remove {}: {}", (path_ / name).string(), error.message());
  }
  if (!discard.empty()) {
    progress.note(fmt::format("discarded from {}: {}", path_.string(), fmt::join(discard, ", ")));
  }
  // Settings are replaced last: a discarding that is killed leaves a run that is shorter, not none.
  if (!discard.empty() || !fs::exists(settings_path, error)) {
    write_json(settings_path, wanted);
    return;
  }
  const Json found = read_json(settings_path);
  if (found == wanted) return;
  for (const auto& [key, value] : wanted.items()) {
    if (!found.is_object() || !found.contains(key) || found[key] != value) {
      fail(
          "{} holds another run (its {} is {}, now {}); use the same settings, another folder, or "
          "--force, which discards that run",
          path_.string(), key,
          found.is_object() && found.contains(key) ? found[key].dump() : "missing", value.dump());
    }
  }
  fail("{} was not written by this version; choose a new folder", settings_path.string());
}

void RunDirectory::commit(const fs::path& relative, std::string_view bytes) const {
  const fs::path target = path_ / relative;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) fail("cannot create {}: {}", target.parent_path().string(), error.message());
  write_file(target, bytes);
}

}  // namespace nestling

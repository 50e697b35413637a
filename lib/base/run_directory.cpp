#include "base/run_directory.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace nestling {
namespace fs = std::filesystem;

RunDirectory::RunDirectory(fs::path path, const std::string& file, const Json& settings)
    : path_(std::move(path)) {
  std::error_code error;
  if (fs::exists(path_, error) && !fs::is_directory(path_, error)) {
    fail("{} is a file; a folder for the run is expected", path_.string());
  }
  fs::create_directories(path_, error);
  if (error) fail("cannot create the folder {}: {}", path_.string(), error.message());
  const fs::path settings_path = path_ / file;
  const bool ours = fs::exists(settings_path, error) || fs::exists(path_ / "run.json", error);
  if (!ours && !fs::is_empty(path_, error)) {
    fail("{} is not empty and holds no run; choose a new folder", path_.string());
  }
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (lock_ >= 0) ::close(lock_);
    fail("the run {} is in use by another process; wait for it to end", path_.string());
  }
  try {
    if (!fs::exists(settings_path, error)) {
      write_json(settings_path, settings);
      return;
    }
    const Json found = read_json(settings_path);
    if (found == settings) return;
    for (const auto& [key, value] : settings.items()) {
      if (!found.is_object() || !found.contains(key) || found[key] != value) {
        fail("{} holds another run (its {} is {}, now {}); use the same settings or another folder",
             path_.string(), key,
             found.is_object() && found.contains(key) ? found[key].dump() : "missing",
             value.dump());
      }
    }
    fail("{} was not written by this version; choose a new folder", settings_path.string());
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() { ::close(lock_); }

void RunDirectory::commit(const fs::path& relative, std::string_view bytes) const {
  const fs::path target = path_ / relative;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) fail("cannot create {}: {}", target.parent_path().string(), error.message());
  write_file(target, bytes);
}

}  // namespace nestling

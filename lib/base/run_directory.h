// The folder of one pruning and recovery run: its one owner, its lock and its commit order.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/progress.h"

namespace nestling {

// Holds a folder for this process. Two processes are kept apart by a lock that dies with its owner.
class FolderLock {
 public:
  // Throws Error if `path` is no folder or another process holds it.
  explicit FolderLock(const std::filesystem::path& path);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int folder_;
};

// Owns a run folder while a tool works on it. `run.json` holds the settings that decide the run's
// bytes; a tool that is started again with other settings is refused rather than mixing two runs.
// Every file is committed by temporary file, sync and rename. Not thread-safe.
class RunDirectory {
 public:
  // Creates `path` (and its parents), or continues the run that is there. `file` is the settings
  // file of the tool ("run.json", "recover.json"), `settings` its wanted content. Throws Error if
  // the folder holds something else, another run (naming the first setting that differs), or is
  // in use. The names in `discard` are removed from a run that is there, which is said to
  // `progress`, and its settings replaced: the run starts anew.
  RunDirectory(std::filesystem::path path, const std::string& file, const Json& settings,
               Progress& progress, const std::vector<std::string>& discard = {});

  const std::filesystem::path& path() const { return path_; }

  // Writes `relative` atomically, making its folder.
  void commit(const std::filesystem::path& relative, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
};

}  // namespace nestling

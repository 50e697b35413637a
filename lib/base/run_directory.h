// The folder of one pruning and recovery run: its one owner, its lock and its commit order.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/json.h"

namespace nestling {

// Owns a run folder while a tool works on it. `run.json` holds the settings that decide the run's
// bytes; a tool that is started again with other settings is refused rather than mixing two runs.
// Every file is committed by temporary file, sync and rename. Not thread-safe; two processes are
// kept apart by a lock that dies with its owner.
class RunDirectory {
 public:
  // Creates `path` (and its parents), or continues the run that is there. `file` is the settings
  // file of the tool ("run.json", "recover.json"), `settings` its wanted content. Throws Error if
  // the folder holds something else, another run (naming the first setting that differs), or is
  // in use.
  RunDirectory(std::filesystem::path path, const std::string& file, const Json& settings);
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }

  // Writes `relative` atomically, making its folder.
  void commit(const std::filesystem::path& relative, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace nestling

// The processes of a tool that trains: this one alone, those that --workers starts, or those that
// torchrun started, which says so in RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "common/tool.h"

#include "train/team.h"

namespace nestling {

// While it is there, trainings are the team's, if there is one. Then the others are dismissed; if
// an exception ends it, those that this process started are killed.
class Crew {
 public:
  Crew(std::unique_ptr<Team> team, std::vector<pid_t> started)
      : team_(std::move(team)), started_(std::move(started)) {}
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

 private:
  std::unique_ptr<Team> team_;
  std::vector<pid_t> started_;
};

class Workers {
 public:
  void add_to(CLI::App& app);  // --workers, --device

  // Prepares this process for training, with `threads` threads or its part of the machine's cores,
  // on the device that was asked for, and gathers the others. In a process that is not the first it
  // works for the first, by `serve`, until there is no more to do, and returns nothing. `argv` is
  // main's.
  std::unique_ptr<Crew> gather(char** argv, int threads, void (*serve)()) const;

 private:
  int count_ = 1;
  std::string device_ = "cpu";
};

}  // namespace nestling

// The processes that train together, on one machine or several: each computes a part of every
// batch. By LibTorch's c10d and Gloo, over TCP.
#pragma once

#include <memory>
#include <span>
#include <string>

namespace nestling {

// Where a process stands: process 0 runs the tool, the others help it (train/job.h).
struct Place {
  int rank = 0;
  int size = 1;
  std::string address = "127.0.0.1";  // of process 0
  int port = 0;                       // of process 0, where all meet
};

// What all of them call, in the same order: the calls of one wait for those of the others. They
// throw Error if one of the others is gone. Not thread-safe.
class Team {
 public:
  // Waits for the others, at most five minutes. Throws Error if they do not come. A process is in
  // one team at a time.
  explicit Team(const Place& place);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // That this process is in; nullptr if it trains alone.
  static Team* current();

  int rank() const;
  int size() const;

  // The sum over all processes, the same bits in each.
  void sum(std::span<float> values);
  void sum(std::span<double> values);

  // What process 0 has, to all.
  void share(std::span<char> bytes);
  void share(std::string& bytes);

 private:
  struct Group;
  std::unique_ptr<Group> group_;
};

}  // namespace nestling

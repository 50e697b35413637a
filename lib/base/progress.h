// How libraries tell a caller how far they are. Libraries never print.
#pragma once

#include <cstdint>
#include <string>

namespace nestling {

// Receives the progress of one long operation after another. The default implementation ignores
// everything, so `Progress quiet;` is a silent one. Called from one thread. An implementation may
// throw from `update` to stop the operation, which leaves its files as a kill would.
class Progress {
 public:
  virtual ~Progress() = default;

  // A task of `steps` equal steps begins; it replaces the task before it.
  virtual void begin(const std::string& /*task*/, int64_t /*steps*/) {}

  // `done` steps of the current task are finished; `detail` is a short remark such as "loss 0.31".
  virtual void update(int64_t /*done*/, const std::string& /*detail*/) {}

  // The latest work that is safe on disk, and that a second start goes on from: "epoch 3 of 8".
  virtual void kept(const std::string& /*what*/) {}

  // A sentence worth keeping in a log.
  virtual void note(const std::string& /*sentence*/) {}
};

}  // namespace nestling

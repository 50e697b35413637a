// Training without labels: a network learns what its teacher makes of the same images.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/torch.h"

namespace nestling {

// Not thread-safe.
class Distillation {
 public:
  // `student` is a cut or grown form of `teacher`: its values have the same names and, but for
  // channels, shapes.
  Distillation(const Graph& teacher, const Graph& student);

  // The student's outputs for the images in training mode, compared with the teacher's:
  //   sum over outputs of |student - teacher|^2 / |teacher|^2
  //   + w sum over stages of |A(student) - A(teacher)|^2
  // where a stage is what the network ends a resolution with, and A its attention map, the sum of
  // squares over channels, of length 1 (Zagoruyko and Komodakis, ICLR 2017): it does not change
  // with the number of channels. Means over the batch; w = 0.1.
  at::Tensor loss(Network& student, const Batch& batch);

 private:
  Network teacher_;
  std::map<ValueId, ValueId> stages_;  // the teacher's, by the student's
};

}  // namespace nestling

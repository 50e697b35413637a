// How well a network does what another one does: what stands for accuracy where there are no
// labels.
#pragma once

#include <string>

#include "data/dataset.h"
#include "graph/graph.h"

namespace nestling {

// "top-1":  the share of images for which both have the same highest output; for one output
//           [N, classes]
// "cosine": the mean over images of the cosine of the angle between both outputs; of several
//           outputs, the mean over them
// The first where it is possible.
std::string default_agreement(const Graph& graph);

// From 0 to 1; below 0 only for a cosine of opposites. Both networks take the images of `data`.
// Throws Error if there is no such `measure`, or it does not fit their outputs.
double agreement(const Graph& graph, const Graph& other, const Dataset& data,
                 const std::string& measure);

// sum over outputs of |graph - other|^2 / |other|^2, of all images of `data` together.
double difference(const Graph& graph, const Graph& other, const Dataset& data);

// The same images, labelled by the class of which `graph`, whose output is [N, classes], is surest;
// only classes that occur.
Dataset labelled_by(const Graph& graph, const Dataset& data);

}  // namespace nestling

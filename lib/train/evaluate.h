// What a network makes of images.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"

namespace nestling {

// Runs the images at `indices`, `batch` at a time, and shows each value of `wanted` for each batch:
// the batch's indices, the value, its content [batch, channels, ...].
using ValueObserver =
    std::function<void(std::span<const int64_t> batch, ValueId value, const Tensor& content)>;
void observe(const Graph& graph, const Dataset& data, std::span<const int64_t> indices,
             int64_t batch, const std::set<ValueId>& wanted, const ValueObserver& observer);
// The same of all images.
void observe(const Graph& graph, const Dataset& data, int64_t batch,
             const std::set<ValueId>& wanted, const ValueObserver& observer);

// The same of labelled images, with the gradient of each image's own cross-entropy in the value, of
// the same shape.
using GradientObserver =
    std::function<void(ValueId value, const Tensor& content, const Tensor& gradient)>;
void observe_gradients(const Graph& graph, const Dataset& data, int64_t batch,
                       const std::set<ValueId>& wanted, const GradientObserver& observer);

// The graph after the images went through it as in training, its weights unchanged: the running
// statistics of its batch norms have moved to what the images make of them, all but a fiftieth of
// the way with 40 batches.
Graph with_statistics_of(const Graph& graph, const Dataset& data, int64_t batch);

// The graph's first output for every image, [N, ...].
std::vector<float> outputs(const Graph& graph, const Dataset& data);

// The share of images whose highest output is their label, from 0 to 1.
double accuracy(const Graph& graph, const Dataset& data);

}  // namespace nestling

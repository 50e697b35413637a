// A network and a data set that are to go together.
#pragma once

#include <string>

#include "data/dataset.h"
#include "graph/graph.h"

namespace nestling {

// What `graph` wants of a data set: the size of its input, and its preprocessing where its metadata
// has some.
LoadOptions load_options(const Graph& graph, const std::string& where);

// Puts class names and preprocessing of the data into the metadata of a graph that has none, so
// that they travel with it to the device.
void adopt(Graph& graph, const Dataset& data);

// Throws Error, naming both, unless the graph takes such images.
void check_images(const Graph& graph, const Dataset& data);

// Throws Error, naming both, unless the graph takes such images and, if they are labelled, is a
// classifier into as many classes.
void check_fits(const Graph& graph, const Dataset& data);

}  // namespace nestling

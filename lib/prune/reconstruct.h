// After a cut, before the retraining: the layers that lost inputs make up for them.
#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/groups.h"

namespace nestling {

// keep(whole, groups, kept), the weights of its convolutions and fully connected layers refitted:
// of each the change D is the least-squares solution of
//
//   minimise  |X D - R|^2 + lambda |D|^2
//
// where a row of X is what a pixel of the layer's output sees of the kept inputs, the row of R what
// the cut ones added to it, and lambda a thousandth of the mean square of a column of X (after He,
// Zhang, Sun, ICCV 2017, whose layers follow each other; here all are fitted to the whole network's
// maps, in one pass over the images). Where a bias or a batch norm follows, both are about their
// means. At most 500 images are fitted to; all give the batch norms their
// statistics. Grouped and transposed
// convolutions, and weights that several layers use, stay as they are.
//
// Takes at most a gigabyte beside the networks; layers that need more are done in further passes.
Graph reconstructed(const Graph& whole, const ChannelGroups& groups, const KeptChannels& kept,
                    const Dataset& images, uint64_t seed);

}  // namespace nestling

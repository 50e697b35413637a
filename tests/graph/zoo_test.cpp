#include "graph/zoo.h"

#include "support/catch.h"

#include "base/error.h"
#include "graph/cost.h"
#include "graph/groups.h"
#include "graph/initialise.h"

using nestling::make_model;

TEST_CASE("the zoo's networks have the parameters and MACs that were published") {
  // Parameters of torchvision's models (its documentation; vgg16's batch norms and mobilenet_v1,
  // which it lacks, aside), MACs in millions as torchvision or the paper has them.
  struct Published {
    const char* name;
    double parameters, macs;
  };
  for (const Published& published : {Published{"vgg16", 138357544, 15470},
                                     {"resnet18", 11689512, 1814},
                                     {"resnet50", 25557032, 4089},
                                     {"resnet20", 270000, 40.8},
                                     {"resnet56", 850000, 125.7},
                                     {"mobilenet_v1", 4232000, 569},
                                     {"mobilenet_v2", 3504872, 300.8},
                                     {"mobilenet_v3_small", 2542856, 56.5},
                                     {"squeezenet1_1", 1235496, 349.2},
                                     {"densenet121", 7978856, 2834},
                                     {"shufflenet_v2", 2278604, 144.9},
                                     {"efficientnet_b0", 5288548, 385.8},
                                     {"googlenet", 6624904, 1498}}) {
    INFO(published.name);
    for (const nestling::Architecture& one : nestling::architectures()) {
      if (one.name != published.name) continue;
      const auto graph = make_model(
          one.name,
          {.classes = one.classes, .height = one.extent, .width = one.extent, .outline = true});
      const bool small = one.extent == 32;
      CHECK(static_cast<double>(nestling::count_parameters(graph)) ==
            Approx(published.parameters).epsilon(small ? 0.01 : 1e-4));
      CHECK(static_cast<double>(nestling::count_macs(graph)) / 1e6 ==
            Approx(published.macs).epsilon(1e-3));
    }
  }
}

TEST_CASE("every network of the zoo takes small images, other widths and other classes") {
  for (const std::string& name : nestling::zoo_names()) {
    INFO(name);
    const auto graph = make_model(name, {.classes = 7, .channels = 1, .multiplier = 0.5});
    const auto full = make_model(name, {.classes = 7, .channels = 1});
    CHECK(nestling::count_macs(graph) < nestling::count_macs(full));
    CHECK(graph.value(graph.outputs[0]).shape == nestling::Shape{nestling::kBatch, 7});
    // Something of it can be cut.
    size_t open = 0;
    for (const auto& group : nestling::find_groups(graph).groups) open += group.fixed ? 0 : 1;
    CHECK(open >= 5);
  }
  CHECK_THROWS_WITH(make_model("alexnet", {}), ContainsSubstring("no architecture alexnet"));
}

TEST_CASE("fresh weights are those that the zoo draws") {
  for (const char* name : {"small", "resnet20", "mobilenet_v2", "efficientnet_b0"}) {
    INFO(name);
    const auto original = make_model(name, {.seed = 5});
    auto spoilt = original;
    for (nestling::Value& value : spoilt.values) {
      if (value.constant && value.shape.size() != 0) {
        for (float& w : value.constant->data) w += 3;
      }
    }
    const auto fresh = nestling::initialised(spoilt, 5);
    REQUIRE(fresh.values.size() == original.values.size());
    for (const nestling::ValueId id : nestling::parameters_of(original)) {
      INFO(original.value(id).name);
      CHECK(fresh.constant(id).data == original.constant(id).data);
    }
    CHECK(nestling::initialised(spoilt, 6).constant(nestling::parameters_of(original)[0]).data !=
          original.constant(nestling::parameters_of(original)[0]).data);
  }
}

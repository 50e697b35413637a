// Trainings that several processes share.
#include "train/team.h"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bars.h"
#include "support/catch.h"
#include "support/free_port.h"
#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "graph/zoo.h"
#include "train/train.h"

using nestling::Graph;
using nestling::Team;

namespace {

struct Fixture {
  TemporaryFolder folder;
  nestling::Dataset data = test::bars(200);
  nestling::Progress quiet;
  Graph graph =
      nestling::make_model("resnet20", {.classes = 4, .channels = 1, .height = 8, .width = 8});
};

// Runs `first` as process 0 of a team whose others, this program again, serve; their statuses.
std::vector<int> with_helpers(int size, const std::function<void(std::vector<pid_t>)>& first) {
  nestling::Place place{.size = size, .port = test::free_port()};
  std::vector<pid_t> helpers;
  for (place.rank = 1; place.rank < size; ++place.rank) {
    const std::string text = fmt::format("{} {} {}", place.rank, size, place.port);
    helpers.push_back(::fork());
    if (helpers.back() != 0) continue;
    ::setenv("HELPER", text.c_str(), 1);
    ::execl("/proc/self/exe", "helper", "a process that helps", nullptr);
    ::_exit(9);
  }
  place.rank = 0;
  {
    const Team team(place);
    first(helpers);
  }
  std::vector<int> statuses;
  for (const pid_t helper : helpers) {
    int status = 0;
    ::waitpid(helper, &status, 0);
    statuses.push_back(status);
  }
  return statuses;
}

// The largest difference of two networks' constants, relative to the constant's largest
// element, or to 0.05.
double difference(const Graph& a, const Graph& b) {
  double most = 0;
  for (size_t v = 0; v < a.values.size(); ++v) {
    if (!a.values[v].constant) continue;
    const auto &x = a.values[v].constant->data, &y = b.values[v].constant->data;
    double size = 0.05, apart = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      size = std::max(size, std::abs(static_cast<double>(x[i])));
      apart = std::max(apart, std::abs(static_cast<double>(x[i]) - y[i]));
    }
    most = std::max(most, apart / size);
  }
  return most;
}

double mean_loss(const std::filesystem::path& checkpoint) {
  const std::string bytes = nestling::read_file(checkpoint);
  return nestling::Json::parse(bytes.substr(0, bytes.find('\n')))["mean_loss"].get<double>();
}

}  // namespace

// Not a test: what with_helpers starts.
TEST_CASE("a process that helps", "[.]") {
  nestling::Place place;
  std::istringstream(std::getenv("HELPER")) >> place.rank >> place.size >> place.port;
  nestling::prepare_training(1);
  try {
    const Team team(place);
    nestling::serve_trainings();
  } catch (const nestling::Error&) {
    ::_exit(1);
  }
  ::_exit(0);
}

TEST_CASE("processes that share the batches train as one does") {
  Fixture fixture;
  Graph teacher = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .seed = 9});
  struct Kind {
    const char* name;
    bool distilled, masked, unlabelled;
  };
  for (const Kind& kind :
       {Kind{"labels", false, false, false}, Kind{"distilled", true, false, false},
        Kind{"partly frozen", false, true, false}, Kind{"without labels", false, false, true}}) {
    INFO(kind.name);
    // All images at once, in parts of 66, 67 and 67: one step, for rounding grows with every one.
    nestling::TrainOptions options{.epochs = 1, .batch = 200, .learning_rate = 0.1, .clip = 3};
    options.augment = {.crop = true, .flip = true};
    nestling::Dataset data = fixture.data;
    if (kind.distilled) options.teacher_logits = nestling::ask_teacher(teacher, data, options);
    if (kind.unlabelled) {
      data.classes.clear();
      options.teacher = &fixture.graph;
    }
    if (kind.masked) {
      const nestling::ValueId scale = nestling::find_value(fixture.graph, "conv1.bn.scale");
      nestling::Tensor mask = fixture.graph.constant(scale);
      for (size_t i = 0; i < mask.data.size(); ++i) mask.data[i] = i < 5 ? 0 : 1;
      options.masks[scale] = mask;
    }
    Graph start = fixture.graph;
    if (kind.unlabelled) {
      start = nestling::make_model(
          "resnet20", {.classes = 4, .channels = 1, .height = 8, .width = 8, .seed = 4});
    }
    const Graph alone = nestling::train(start, data, options, fixture.quiet);
    nestling::TrainOptions longer = options;
    longer.epochs = 2;
    longer.batch = 32;
    longer.learning_rate = 2e-3;
    const auto loss = [&](const char* name) {
      longer.checkpoint = fixture.folder / name;
      nestling::train(start, data, longer, fixture.quiet);
      return mean_loss(longer.checkpoint);
    };
    const double expected = loss("alone");
    const auto statuses = with_helpers(3, [&](const std::vector<pid_t>&) {
      const Graph together = nestling::train(start, data, options, fixture.quiet);
      CHECK(difference(alone, together) < 1e-3);
      CHECK(difference(start, together) > 1e-2);
      CHECK(difference(together, nestling::train(start, data, options, fixture.quiet)) == 0);
      CHECK(loss("together") == Approx(expected).epsilon(1e-4));
      nestling::dismiss_helpers();
    });
    CHECK(statuses == std::vector<int>{0, 0});
    std::filesystem::remove(fixture.folder / "alone");
    std::filesystem::remove(fixture.folder / "together");
  }
}

TEST_CASE("a team goes on from a checkpoint") {
  Fixture fixture;
  nestling::TrainOptions options{.epochs = 3, .batch = 32, .learning_rate = 0.02};
  options.checkpoint = fixture.folder / "checkpoint";
  struct Stopper : nestling::Progress {
    void kept(const std::string& what) override {
      if (what.starts_with("epoch 2")) throw std::runtime_error("stopped");
    }
  } stopper;
  Graph whole, resumed;
  const auto train = [&](nestling::Progress& progress) {
    return nestling::train(fixture.graph, fixture.data, options, progress);
  };
  with_helpers(2, [&](const std::vector<pid_t>&) {
    whole = train(fixture.quiet);
    nestling::dismiss_helpers();
  });
  std::filesystem::remove(options.checkpoint);
  with_helpers(2, [&](const std::vector<pid_t>&) { CHECK_THROWS(train(stopper)); });
  with_helpers(2, [&](const std::vector<pid_t>&) {
    resumed = train(fixture.quiet);
    nestling::dismiss_helpers();
  });
  CHECK(difference(whole, resumed) == 0);
}

TEST_CASE("a process that dies ends the training, and what was finished is kept") {
  Fixture fixture;
  nestling::TrainOptions options{.epochs = 50, .batch = 32, .learning_rate = 0.02};
  options.checkpoint = fixture.folder / "checkpoint";
  struct Killer : nestling::Progress {
    pid_t helper = 0;
    void kept(const std::string& what) override {
      if (what.starts_with("epoch 2")) ::kill(helper, SIGKILL);
    }
  } killer;
  const auto statuses = with_helpers(3, [&](const std::vector<pid_t>& helpers) {
    killer.helper = helpers[0];
    CHECK_THROWS_WITH(nestling::train(fixture.graph, fixture.data, options, killer),
                      ContainsSubstring("one of the 3 processes of this training is gone"));
  });
  CHECK(WIFSIGNALED(statuses[0]));
  CHECK(statuses[1] != 0);  // it says that the first is gone
  CHECK(std::filesystem::exists(options.checkpoint));
}

TEST_CASE("a batch has an image for every process") {
  Fixture fixture;
  with_helpers(3, [&](const std::vector<pid_t>&) {
    CHECK_THROWS_WITH(
        nestling::train(fixture.graph, fixture.data, {.epochs = 1, .batch = 2}, fixture.quiet),
        ContainsSubstring("a batch of 2 images is too small for 3 processes"));
    nestling::dismiss_helpers();
  });
}

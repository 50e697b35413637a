// How a model takes images, for tools that are given one that does not say so itself.
#pragma once

#include <filesystem>
#include <vector>

#include "common/tool.h"

#include "base/error.h"
#include "graph/classifier.h"
#include "graph/onnx.h"

namespace nestling {

// --input, --mean and --deviation.
struct ImageFlags {
  std::vector<int64_t> size;  // channels, height, width; empty: as the file says
  std::vector<float> mean, deviation;

  // For a tool that is given an ONNX file.
  void add_to(CLI::App& app) {
    add_to(app,
           "Size of the images that an ONNX file takes, if it leaves that open, or another than "
           "the file's");
  }

  void add_to(CLI::App& app, const std::string& size_is_for) {
    app.add_option("--input", size, size_is_for)
        ->delimiter('x')
        ->option_text("CxHxW")
        ->expected(3)
        ->check(CLI::Range(1, 4096));
    auto* of_mean = numbers(app, "--mean", mean,
                            "What the model was trained to have subtracted from each channel of "
                            "an image, whose pixels go from 0 to 1");
    auto* of_deviation =
        numbers(app, "--deviation", deviation, "What the rest was then divided by");
    of_mean->needs(of_deviation);
    of_deviation->needs(of_mean)->check(CLI::PositiveNumber);
  }

  // The ONNX file as the flags say; what they do not say is as its metadata has it.
  Graph load(const std::filesystem::path& path) const {
    Graph graph = load_onnx(path, size);
    describe(graph);
    return graph;
  }

  // Has the model say what --mean and --deviation say of it.
  void describe(Graph& graph) const {
    if (mean.empty()) return;
    check_channels(image_input(graph).channels);
    set_normalisation(graph, mean, deviation);
  }

  void check_channels(int64_t channels) const {
    for (const auto* numbers : {&mean, &deviation}) {
      if (numbers->empty() || std::ssize(*numbers) == channels) continue;
      fail("--mean and --deviation need one number for each of the {} channels", channels);
    }
  }

 private:
  static CLI::Option* numbers(CLI::App& app, const std::string& name, std::vector<float>& to,
                              const std::string& what_for) {
    return app.add_option(name, to, what_for)
        ->delimiter(',')
        ->allow_extra_args(false)  // which would be the model
        ->option_text("N,...");
  }
};

}  // namespace nestling

// Writes the seed corpus: seeds FOLDER.
#include <filesystem>
#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "support/nested_graph.h"
#include "support/test_dataset.h"

#include "base/file.h"
#include "data/npy.h"
#include "graph/classifier.h"
#include "graph/onnx.h"
#include "package/package.h"

using nestling::Graph;

namespace {

std::filesystem::path root;

void seed(const std::string& target, const std::string& name, std::string_view bytes) {
  std::filesystem::create_directories(root / target);
  nestling::write_file(root / target / name, bytes);
}

void models() {
  nestling::Random random(1);
  int number = 0;
  for (Graph graph : {test::residual_network(1), test::chain_network(2), test::every_op_network(3),
                      test::modern_network(4)}) {
    nestling::set_classifier_info(
        graph, {{"a", "b", "c", "d"}, {.mean = {0, 0, 0}, .deviation = {1, 1, 1}}});
    const std::string name = fmt::format("{}", ++number);
    seed("onnx", name, nestling::export_onnx(graph));
    seed("package", name, nestling::make_package(graph, "seed"));
    for (const auto growth : {nestling::Growth::full, nestling::Growth::causal}) {
      const Graph nested = test::nested_graph(graph, growth, 3, random);
      const std::string nested_name = name + nestling::growth_name(growth);
      seed("onnx", nested_name, nestling::export_onnx(nested));
      seed("package", nested_name, nestling::make_package(nested, "seed"));
      seed("package", nested_name + "-float16",
           nestling::make_package(nested, "seed", {nestling::runtime::WeightType::float16}));
      for (const auto& [key, text] : nested.metadata) seed("json", nested_name + key, text);
    }
  }
}

void images() {
  std::string pixels;
  for (int i = 0; i < 24 * 17 * 3; ++i) pixels += static_cast<char>(i * i % 251);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = 24;
  png.height = 17;
  png.format = PNG_FORMAT_RGB;
  std::string bytes(1 << 16, '\0');
  png_alloc_size_t size = bytes.size();
  png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels.data(), 0, nullptr);
  seed("image", "png", bytes.substr(0, size));
  const tjhandle encoder = tjInitCompress();
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    unsigned char* jpeg = nullptr;
    unsigned long length = 0;
    tjCompress2(encoder, reinterpret_cast<const unsigned char*>(pixels.data()), 24, 0, 17, TJPF_RGB,
                &jpeg, &length, TJSAMP_420, 80, flags);
    seed("image", fmt::format("jpeg{}", flags), {reinterpret_cast<char*>(jpeg), length});
    tjFree(jpeg);
  }
  tjDestroy(encoder);
  seed("image", "ppm", "P6 24 17 255\n" + pixels);
  seed("image", "pgm", "P5 24 17 255\n" + pixels.substr(0, size_t{24} * 17));
}

void arrays() {
  const std::string idx = test::idx_header({3, 4, 5}) + std::string(60, '\x11');
  seed("array", "idx", idx);
  const std::string gz = (root / "array/idx.gz").string();
  gzFile file = gzopen(gz.c_str(), "wb");
  gzwrite(file, idx.data(), static_cast<unsigned>(idx.size()));
  gzclose(file);
  seed("array", "npy", nestling::npy_bytes({{2, 3}, {1, 2, 3, 4, 5, 6}}));
}

}  // namespace

int main(int, char** argv) {
  root = argv[1];
  models();
  images();
  arrays();
  seed("json", "profile",
       R"({"schema": "nestling/profile/1", "capacities": [{"accuracy": 0.7, "latency_ms": {"median":
       1.5}, "memory": {"weights_bytes": 9, "activation_bytes": 8}, "upgrade": {"ms": 1e-1}}]})");
}

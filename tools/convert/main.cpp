// Packs a model for the device.
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/image_flags.h"
#include "common/tool.h"
#include "runtime/model.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/classifier.h"
#include "graph/onnx.h"
#include "package/c_source.h"
#include "package/ncnn.h"
#include "package/package.h"

using namespace nestling;

namespace {

// Those of a file that opens as a package.
std::string package_bytes(const std::filesystem::path& file) {
  const auto opened = runtime::Model::open(file.c_str(), {});
  if (!opened.ok()) fail("{}", opened.status().text());
  return read_file(file);
}

// Those of a text file, without empty ones at its end.
std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  const std::string bytes = read_file(file);
  if (!is_utf8(bytes)) fail("{} is not a text in UTF-8", file.string());
  std::istringstream text(bytes);
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool("nestling-convert", "Packs a multi-capacity model, or any ONNX model, for the device.",
            "nestling-convert run --out model.nest\n"
            "  nestling-convert run --to onnx --out models\n"
            "  nestling-convert model.onnx --out model.nest\n"
            "  nestling-convert model.nest --to c --out model.c");
  std::string model, out, format = "nest";
  tool.app
      .add_option("model", model,
                  "Folder of a nestling-recover run, or an ONNX file; with --to c also a package")
      ->required()
      ->type_name("RUN|MODEL.onnx|MODEL.nest");
  tool.app.add_option("--out", out, "Package to write; with --to onnx and ncnn a folder")
      ->required();
  tool.app
      .add_option(
          "--to", format,
          "nest: a package; onnx: one ONNX file a capacity; ncnn: .param and .bin a capacity; "
          "c: a package as an array in C, and the header that declares it")
      ->check(CLI::IsMember({"nest", "onnx", "ncnn", "c"}));

  ImageFlags images;
  images.add_to(tool.app);
  std::string classes;
  tool.app
      .add_option("--classes", classes,
                  "Names of the classes, a line each, in the order of the outputs; by default "
                  "those that the model names")
      ->type_name("FILE");
  std::string weights = "fp32";
  tool.app
      .add_option(
          "--weights", weights,
          "How a package, or ncnn, stores the weights of layers: fp16 takes half as much, on "
          "the device too")
      ->check(CLI::IsMember({"fp32", "fp16"}));
  std::string arithmetic = "fp32";
  tool.app
      .add_option(
          "--arithmetic", arithmetic,
          "How a package's layers are computed; fp16, with --weights fp16: on processors that can "
          "(Armv8.2) convolutions multiply twice as many numbers at once, those whose inputs stay "
          "below 65504")
      ->check(CLI::IsMember({"fp32", "fp16"}));
  bool fold = false;
  tool.app.add_flag("--fold-batchnorm", fold,
                    "With --to onnx: batch norms become part of the layers before them; those that "
                    "nestling-prune added always do, and with --to ncnn all");
  return tool.main(argc, argv, [&](Progress&) -> int {
    if (format == "onnx" && weights != "fp32") fail("--weights is not for --to onnx");
    if (arithmetic != "fp32") {
      if (format != "nest" && format != "c") fail("--arithmetic is for packages");
      if (weights != "fp16") fail("--arithmetic fp16 needs --weights fp16");
    }
    std::filesystem::path path = model;
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      path /= "multicapacity.onnx";
      if (!std::filesystem::exists(path, error)) {
        fail("{} holds no multicapacity.onnx; nestling-recover makes it", model);
      }
    }
    const auto type = [](const std::string& name) {
      return name == "fp16" ? runtime::WeightType::float16 : runtime::WeightType::float32;
    };
    const Precision precision{type(weights), type(arithmetic)};
    const auto load = [&] {
      Graph graph = images.load(path);
      if (!classes.empty()) set_classes(graph, lines_of(classes));
      return graph;
    };
    Json files = Json::array();
    const auto write = [&](const std::filesystem::path& file, const std::string& bytes) {
      write_file(file, bytes);
      files.push_back({{"file", file.string()}, {"bytes", bytes.size()}});
    };
    if (format == "nest") {
      check_writable(out);
      write(out, make_package(load(), path.string(), precision));
    } else if (format == "c") {
      const std::filesystem::path source = out;
      if (source.extension() != ".c") fail("--to c writes a file NAME.c, and NAME.h beside it");
      check_writable(source);
      std::filesystem::path header = source;
      header.replace_extension(".h");
      const bool packed = path.extension() == ".nest";
      if (packed && weights != "fp32") fail("--weights is for what is not packed yet");
      if (packed && (!images.size.empty() || !images.mean.empty() || !classes.empty())) {
        fail("--input, --mean and --classes are for what is not packed yet");
      }
      const CSource c =
          c_source(packed ? package_bytes(path) : make_package(load(), path.string(), precision),
                   c_identifier(source.stem().string()), header.filename().string());
      write(header, c.header);
      write(source, c.source);
    } else {
      const bool ncnn = format == "ncnn";
      std::vector<std::pair<std::string, std::string>> models;  // names and bytes
      int k = 0;
      for (const Graph& capacity : plain_capacities(load(), path.string(), fold || ncnn)) {
        const std::string name = fmt::format("capacity{}", ++k);
        if (ncnn) {
          NcnnModel converted = make_ncnn(capacity, weights == "fp16");
          models.emplace_back(name + ".param", std::move(converted.param));
          models.emplace_back(name + ".bin", std::move(converted.bin));
        } else {
          models.emplace_back(name + ".onnx", export_onnx(capacity));
        }
      }
      std::filesystem::create_directories(out, error);
      if (error) fail("cannot create the folder {}: {}", out, error.message());
      for (const auto& [name, bytes] : models) write(std::filesystem::path(out) / name, bytes);
    }
    std::string text;
    for (const Json& file : files) {
      text += fmt::format("{}: {} bytes\n", file["file"].get<std::string>(),
                          file["bytes"].get<size_t>());
    }
    tool.print(text, {{"format", format}, {"files", files}});
    return kDone;
  });
}

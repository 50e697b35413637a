#include "runtime/header.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

namespace nestling::runtime {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr uint32_t key(uint32_t field, pbf_wire_type type) {
  return protozero::tag_and_type(static_cast<protozero::pbf_tag_type>(field), type);
}
constexpr auto kVarint = pbf_wire_type::varint;
constexpr auto kBytes = pbf_wire_type::length_delimited;
constexpr auto kFixed32 = pbf_wire_type::fixed32;
constexpr auto kFixed64 = pbf_wire_type::fixed64;

void append_packed(pbf_reader& reader, std::vector<uint32_t>& to) {
  for (const uint32_t number : reader.get_packed_uint32()) to.push_back(number);
}

void append_packed(pbf_reader& reader, std::vector<float>& to) {
  for (const float number : reader.get_packed_float()) to.push_back(number);
}

// A packed field of exactly N numbers.
template <size_t N>
bool read_array(pbf_reader& reader, std::array<uint32_t, N>& to) {
  std::vector<uint32_t> numbers;
  append_packed(reader, numbers);
  if (numbers.size() != N) return false;
  for (size_t i = 0; i < N; ++i) to[i] = numbers[i];
  return true;
}

GroupSpec read_group(pbf_reader reader) {
  GroupSpec group;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kBytes):
        group.name = reader.get_string();
        break;
      case key(2, kBytes):
        append_packed(reader, group.widths);
        break;
      default:
        reader.skip();
    }
  }
  return group;
}

void append_packed(pbf_reader& reader, std::vector<int64_t>& to) {
  for (const int64_t number : reader.get_packed_sint64()) to.push_back(number);
}

RunSpec read_run(pbf_reader reader) {
  RunSpec run{0, 0, 0, 0};
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kVarint):
        run.group = reader.get_uint32();
        break;
      case key(2, kVarint):
        run.first = reader.get_uint32();
        break;
      case key(3, kVarint):
        run.count = reader.get_uint32();
        break;
      case key(4, kVarint):
        run.repeat = reader.get_uint32();
        break;
      default:
        reader.skip();
    }
  }
  return run;
}

AxisSpec read_axis(pbf_reader reader) {
  AxisSpec axis;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kVarint):
        axis.extent = reader.get_uint32();
        break;
      case key(2, kBytes):
        axis.runs.push_back(read_run(reader.get_message()));
        break;
      default:
        reader.skip();
    }
  }
  return axis;
}

ValueSpec read_value(pbf_reader reader) {
  ValueSpec value;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kBytes):
        value.axes.push_back(read_axis(reader.get_message()));
        break;
      case key(2, kVarint):
        value.storage = static_cast<Storage>(reader.get_uint32());
        break;
      case key(3, kBytes):
        value.name = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

bool read_node(pbf_reader reader, NodeSpec& node) {
  bool good = true;
  // proto3 does not write zeros, so what is absent is zero.
  node.low = node.high = 0;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kBytes):
        node.op = reader.get_string();
        break;
      case key(2, kBytes):
        append_packed(reader, node.inputs);
        break;
      case key(3, kVarint):
        node.output = reader.get_uint32();
        break;
      case key(4, kBytes):
        good = read_array(reader, node.kernel) && good;
        break;
      case key(5, kBytes):
        good = read_array(reader, node.stride) && good;
        break;
      case key(6, kBytes):
        good = read_array(reader, node.dilation) && good;
        break;
      case key(7, kBytes):
        good = read_array(reader, node.padding) && good;
        break;
      case key(8, kBytes):
        append_packed(reader, node.numbers);
        break;
      case key(9, kFixed32):
        node.low = reader.get_float();
        break;
      case key(10, kFixed32):
        node.high = reader.get_float();
        break;
      case key(11, kVarint):
        node.own_weights = reader.get_uint64() != 0;
        break;
      case key(12, kVarint):
        node.own_scale = reader.get_uint64() != 0;
        break;
      case key(13, kBytes):
        append_packed(reader, node.reals);
        break;
      default:
        reader.skip();
    }
  }
  return good;
}

SegmentSpec read_segment(pbf_reader reader) {
  SegmentSpec segment;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kVarint):
        segment.offset = reader.get_uint64();
        break;
      case key(2, kVarint):
        segment.bytes = reader.get_uint64();
        break;
      case key(3, kFixed64):
        segment.checksum = reader.get_fixed64();
        break;
      case key(4, kVarint):
        segment.macs = reader.get_uint64();
        break;
      case key(5, kVarint):
        segment.parameters = reader.get_uint64();
        break;
      default:
        reader.skip();
    }
  }
  return segment;
}

bool decode(pbf_reader reader, PackageHeader& header) {
  bool good = true;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case key(1, kBytes):
        header.name = reader.get_string();
        break;
      case key(2, kVarint):
        header.causal = reader.get_uint64() != 0;
        break;
      case key(3, kBytes):
        header.groups.push_back(read_group(reader.get_message()));
        break;
      case key(4, kBytes):
        header.values.push_back(read_value(reader.get_message()));
        break;
      case key(5, kBytes):
        good = read_node(reader.get_message(), header.nodes.emplace_back()) && good;
        break;
      case key(6, kBytes):
        append_packed(reader, header.inputs);
        break;
      case key(7, kBytes):
        append_packed(reader, header.outputs);
        break;
      case key(8, kBytes):
        header.segments.push_back(read_segment(reader.get_message()));
        break;
      case key(9, kBytes):
        header.classes.push_back(reader.get_string());
        break;
      case key(10, kBytes):
        append_packed(reader, header.mean);
        break;
      case key(11, kBytes):
        append_packed(reader, header.deviation);
        break;
      case key(12, kVarint):
        header.resize = reader.get_uint32();
        break;
      case key(13, kVarint):
        header.independent_bytes = reader.get_uint64();
        break;
      case key(14, kVarint):
        header.weights = static_cast<WeightType>(reader.get_uint32());
        break;
      case key(15, kVarint):
        header.arithmetic = static_cast<WeightType>(reader.get_uint32());
        break;
      default:
        reader.skip();
    }
  }
  return good;
}

}  // namespace

Result<PackageHeader> read_header(const char* data, size_t size, uint64_t file_bytes) {
  PackageHeader header;
  bool good = false;
  // protozero reports malformed bytes by exceptions. This is the only source of the runtime that is
  // compiled with them, and none leaves it.
  try {
    good = decode(pbf_reader(data, size), header);
  } catch (const protozero::exception&) {
    good = false;
  }
  if (!good) return Status(StatusCode::bad_format, "the package's header is malformed");
  if (Status status = check_header(header, file_bytes); !status.ok()) return status;
  return header;
}

}  // namespace nestling::runtime

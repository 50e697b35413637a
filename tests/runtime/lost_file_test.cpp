// A mapped file that becomes shorter does not end the process.
#include "runtime/lost_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/model.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "graph/zoo.h"
#include "package/package.h"

using namespace nestling;
using runtime::WatchedMapping;

namespace {

struct MappedFile {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "weights";
  size_t bytes = 8 * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  char* data = nullptr;

  MappedFile() {
    write_file(path, std::string(bytes, 'x'));
    const int file = ::open(path.c_str(), O_RDONLY);
    data = static_cast<char*>(::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0));
    ::close(file);
    REQUIRE(data != MAP_FAILED);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(data, bytes); }
};

}  // namespace

TEST_CASE("a watched mapping reads as zeros where its file ends, and says so") {
  runtime::survive_lost_files();
  MappedFile file, other;
  const WatchedMapping watched(file.data, file.bytes), untouched(other.data, other.bytes);
  REQUIRE(::truncate(file.path.c_str(), static_cast<off_t>(file.bytes / 2)) == 0);
  CHECK(file.data[0] == 'x');
  CHECK_FALSE(watched.lost());
  const volatile char* end = file.data + file.bytes - 1;
  CHECK(*end == 0);
  CHECK(watched.lost());
  CHECK(file.data[0] == 'x');
  CHECK(other.data[other.bytes - 1] == 'x');
  CHECK_FALSE(untouched.lost());
}

TEST_CASE("other bus errors end the process as ever") {
  MappedFile file;
  REQUIRE(::truncate(file.path.c_str(), 0) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    runtime::survive_lost_files();
    { const WatchedMapping no_longer(file.data, file.bytes); }
    const volatile char* gone = file.data;
    ::_exit(*gone);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  // A sanitizer has a handler of its own, which ends the process with a status.
  CHECK(status != 0);
}

TEST_CASE("a package that changes on disk pages nothing more in") {
  const TemporaryFolder folder;
  const auto path = folder / "model.nest";
  Random random(1);
  const auto graph = test::nested_graph(make_model("small", {.classes = 3, .height = 16}),
                                        Growth::full, 3, random);
  write_file(path, make_package(graph, "test"));
  auto model = runtime::Model::open(path.c_str(), {});
  REQUIRE(model.ok());
  REQUIRE(model.value().set_capacity(1).ok());
  REQUIRE(::truncate(path.c_str(), 40000) == 0);
  const runtime::Status status = model.value().set_capacity(3);
  CHECK(status.code() == runtime::StatusCode::io);
  CHECK(status.text() == "the package changed on disk while it was in use");
  CHECK(model.value().capacity() == 0);
}

// A system that exists only in files.
#include "runtime/host/memory_pressure.h"

#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/file.h"

using nestling::runtime::MemoryPressure;

namespace {

struct System {
  TemporaryFolder folder;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / path).parent_path());
    nestling::write_file(folder.path() / path, text);
  }
  void stalled(const std::string& file, uint64_t us) const {
    write(file, "some avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(us) +
                    "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
  }
};

}  // namespace

TEST_CASE("memory is short when processes wait for it") {
  const System system;
  system.stalled("proc/pressure/memory", 5000000);
  MemoryPressure pressure(system.folder.path());
  CHECK_FALSE(pressure.high(1));  // whatever was before
  CHECK_FALSE(pressure.high(1));
  system.stalled("proc/pressure/memory", 5090000);
  CHECK_FALSE(pressure.high(1));
  system.stalled("proc/pressure/memory", 5290000);
  CHECK(pressure.high(1));
  system.stalled("proc/pressure/memory", 5490000);
  CHECK_FALSE(pressure.high(10));
  system.write("proc/pressure/memory", "total=nonsense");
  CHECK_FALSE(pressure.high(1));
}

TEST_CASE("memory is short when the control group, or one around it, is near its limit") {
  const System system;
  system.write("proc/self/cgroup", "1:cpu:/old\n0::/app.slice/ours\n");
  const std::string group = "sys/fs/cgroup/app.slice/ours/";
  system.write(group + "memory.max", "max\n");
  system.write(group + "memory.current", "990\n");
  MemoryPressure pressure(system.folder.path());
  CHECK_FALSE(pressure.high(1));
  system.write(group + "memory.max", "1000\n");
  CHECK(pressure.high(1));
  system.write(group + "memory.current", "900\n");
  CHECK_FALSE(pressure.high(1));
  system.write("sys/fs/cgroup/app.slice/memory.max", "2000\n");
  system.write("sys/fs/cgroup/app.slice/memory.current", "2100\n");
  CHECK(pressure.high(1));
}

TEST_CASE("a control group that counts stalls is asked before the whole system") {
  const System system;
  system.write("proc/self/cgroup", "0::/ours\n");
  system.stalled("proc/pressure/memory", 0);
  system.stalled("sys/fs/cgroup/ours/memory.pressure", 0);
  MemoryPressure pressure(system.folder.path());
  CHECK_FALSE(pressure.high(1));
  system.stalled("proc/pressure/memory", 1000000);
  CHECK_FALSE(pressure.high(1));
  system.stalled("sys/fs/cgroup/ours/memory.pressure", 1000000);
  CHECK(pressure.high(1));
}

TEST_CASE("a system that says nothing of its memory is never short of it") {
  const System system;
  MemoryPressure pressure(system.folder.path());
  CHECK_FALSE(pressure.high(1));
  CHECK_FALSE(pressure.high(1));
}

#include "plugin/elf_note.h"

#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "test_plugins.h"
#include "weir/base.h"

namespace weir::plugin {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& path) {
  base::Result<Note> note = read_note(path);
  return note ? "accepted" : note.error().text();
}

std::string judged(const std::string& path) {
  base::Result<Note> note = read_note(path);
  if (!note) return note.error().text();
  base::Status abi = judge_abi(*note, path);
  return abi ? "accepted" : abi.error().text();
}

// A copy of a right plugin with some bytes of its ELF header changed.
class PatchedPlugin : public testing::Test {
 protected:
  std::string patched(size_t offset, uint16_t value, size_t bytes) {
    std::string content = test::read_file(test_plugin("fault-none"));
    std::memcpy(content.data() + offset, &value, bytes);
    return folder_.write("patched.so", content);
  }
  std::string cut(size_t bytes) {
    return folder_.write("cut.so", test::read_file(test_plugin("fault-none")).substr(0, bytes));
  }
  test::TempDir folder_;
};

TEST(ElfNote, SaysWhatThePluginIsWithoutLoadingIt) {
  base::Result<Note> note = read_note(test_plugin("fault-none"));
  ASSERT_TRUE(note.ok()) << note.error().text();
  EXPECT_EQ(note->id, "fault");
  EXPECT_EQ(note->version, "1.0.0");
  EXPECT_EQ(note->abi_major, uint32_t{WEIR_ABI_MAJOR});
  EXPECT_EQ(note->abi_minor_low, uint32_t{WEIR_ABI_MINOR});
  EXPECT_EQ(note->abi_minor_high, uint32_t{WEIR_ABI_MINOR});
  ASSERT_EQ(note->components.size(), 1u);
  EXPECT_EQ(note->components.at("fault.sink"), Kind::kSink);
}

TEST(ElfNote, IsReadFromBothExamplesOfTheSdk) {
  EXPECT_EQ(read_note(example_plugin("null-sink"))->components.at("null.sink"), Kind::kSink);
  EXPECT_EQ(read_note(example_plugin("pass-transform"))->components.at("pass.transform"), Kind::kTransform);
}

TEST(ElfNote, RefusesAFileThatIsNotThere) {
  EXPECT_EQ(
      refusal("/nowhere/a.so"),
      "/nowhere/a.so: cannot be read: No such file or directory (check that the file exists and that the "
      "gateway's user may read it)");
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsAFolderOrAPipe) {
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("is not a regular file"));
  std::string pipe = folder_ / "pipe.so";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal(pipe), HasSubstr("is not a regular file"));
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsATextFile) {
  EXPECT_THAT(refusal(folder_.write("text.so", "Hello, this is not a library at all.\n")),
              HasSubstr("is not an ELF file (a plugin is a shared library for this machine)"));
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsEmpty) {
  EXPECT_THAT(refusal(folder_.write("empty.so", "")),
              HasSubstr("is empty (the file was not copied completely"));
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsTruncatedWhereverThatIs) {
  const size_t whole = test::read_file(test_plugin("fault-none")).size();
  for (size_t bytes : {size_t{4}, size_t{10}, size_t{40}, size_t{80}, size_t{700}, whole / 2, whole - 1}) {
    EXPECT_THAT(refusal(cut(bytes)), HasSubstr("is truncated")) << bytes << " of " << whole << " bytes";
  }
}

TEST_F(PatchedPlugin, IsRefusedFor32Bits) {
  EXPECT_THAT(refusal(patched(EI_CLASS, ELFCLASS32, 1)),
              HasSubstr("is a 32-bit library, this gateway is 64-bit"));
}

TEST_F(PatchedPlugin, IsRefusedForBigEndian) {
  EXPECT_THAT(refusal(patched(EI_DATA, ELFDATA2MSB, 1)), HasSubstr("is a big-endian library"));
}

TEST_F(PatchedPlugin, IsRefusedForAnotherMachineAndBothAreNamed) {
#if defined(__x86_64__)
  EXPECT_THAT(refusal(patched(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, 2)),
              HasSubstr("was built for aarch64, this gateway runs on x86-64"));
#else
  EXPECT_THAT(refusal(patched(offsetof(Elf64_Ehdr, e_machine), EM_X86_64, 2)),
              HasSubstr("was built for x86-64, this gateway runs on aarch64"));
#endif
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsAProgram) {
  EXPECT_THAT(refusal("/proc/self/exe"), HasSubstr("is a program, not a shared library"));
  EXPECT_THAT(refusal(patched(offsetof(Elf64_Ehdr, e_type), ET_EXEC, 2)), HasSubstr("is a program"));
}

TEST_F(PatchedPlugin, IsRefusedWhenItIsAnObjectFile) {
  EXPECT_THAT(refusal(patched(offsetof(Elf64_Ehdr, e_type), ET_REL, 2)), HasSubstr("is an object file"));
}

TEST_F(PatchedPlugin, NeverMakesTheReaderReadOutsideWhateverByteIsWrong) {
  const std::string right = test::read_file(test_plugin("fault-none"));
  const std::string path = folder_.write("fuzzed.so", right);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  // The ELF header, the program headers and the notes are in the first kilobyte; the sanitizers watch.
  for (size_t at = 0; at < std::min<size_t>(right.size(), 1024); ++at) {
    for (unsigned char value : {0x00, 0x7f, 0xff}) {
      ASSERT_EQ(::pwrite(fd, &value, 1, static_cast<off_t>(at)), 1);
      (void)read_note(path);
    }
    ASSERT_EQ(::pwrite(fd, &right[at], 1, static_cast<off_t>(at)), 1);
  }
  ::close(fd);
  EXPECT_EQ(judged(path), "accepted");
}

TEST(ElfNote, RefusesALibraryWithoutANote) {
  EXPECT_THAT(
      refusal(test_plugin("no-note")),
      HasSubstr("is a shared library without a Weir note, so it is not a Weir plugin (a plugin's source has "
                "one WEIR_PLUGIN_NOTE"));
}

TEST(ElfNote, RefusesANoteThatIsNotJson) {
  EXPECT_THAT(refusal(test_plugin("note-not-json")),
              HasSubstr("has a wrong Weir note: it is not valid JSON"));
}

TEST(ElfNote, RefusesANoteWithoutAVersion) {
  EXPECT_THAT(refusal(test_plugin("note-no-version")),
              HasSubstr("has a wrong Weir note: \"version\" is missing"));
}

TEST(ElfNote, RefusesANoteWithAnUnknownKind) {
  EXPECT_THAT(refusal(test_plugin("note-unknown-kind")),
              HasSubstr("the kind of \"fault.sink\" must be \"source\", \"transform\" or \"sink\""));
}

TEST(ElfNote, JudgesTheAbiAndNamesBothVersions) {
  const std::string ours = std::to_string(WEIR_ABI_MAJOR) + "." + std::to_string(WEIR_ABI_MINOR);
  EXPECT_EQ(judged(test_plugin("fault-none")), "accepted");
  EXPECT_THAT(
      judged(test_plugin("note-other-major")),
      HasSubstr("was built for the plugin ABI 7.0, this gateway has " + ours + " (upgrade the gateway"));
  EXPECT_THAT(judged(test_plugin("note-newer-minor")),
              HasSubstr("was built for the plugin ABI 0.90 to 0.95, this gateway has " + ours + " (upgrade"));
  EXPECT_THAT(
      judged(test_plugin("note-older-minor")),
      HasSubstr("was built for the plugin ABI 0.0, this gateway has " + ours + " (install a newer version"));
}

}  // namespace
}  // namespace weir::plugin

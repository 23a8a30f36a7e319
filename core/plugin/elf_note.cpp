#include "plugin/elf_note.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "weir/entry.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "Weir runs on x86-64 and aarch64"
#endif

constexpr size_t kMaxSegments = 512;            // real libraries have a dozen
constexpr uint64_t kMaxSegmentBytes = 1 << 20;  // of notes, or of the dynamic table: real ones have a few KiB

constexpr char kBuildAgain[] = "build it again; see the plugin SDK's weir_add_plugin";

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "x86 (32-bit)";
    case EM_ARM:
      return "arm (32-bit)";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    case EM_MIPS:
      return "mips";
    default:
      return "machine number " + std::to_string(machine);
  }
}

// A file read at offsets. Reading, unlike mapping, survives that somebody truncates the file meanwhile.
class File {
 public:
  explicit File(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Status begin() {
    if (fd_ < 0) return unreadable(errno);
    struct stat status;
    if (::fstat(fd_, &status) != 0) return unreadable(errno);
    if (!S_ISREG(status.st_mode)) {
      return base::error(Code::kInvalid, "is not a regular file", path_,
                         "a plugin is a shared library, NAME.so");
    }
    size_ = static_cast<uint64_t>(status.st_size);
    return {};
  }

  uint64_t size() const { return size_; }
  bool holds(uint64_t offset, uint64_t bytes) const { return offset <= size_ && bytes <= size_ - offset; }

  // False when the file does not hold that much.
  bool read(uint64_t offset, void* to, size_t bytes) const {
    if (!holds(offset, bytes)) return false;
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      ssize_t n = ::pread(fd_, at, bytes, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      at += n;
      offset += static_cast<uint64_t>(n);
      bytes -= static_cast<size_t>(n);
    }
    return true;
  }

 private:
  Error unreadable(int number) const {
    Code code = number == ENOENT ? Code::kNotFound : number == EACCES ? Code::kDenied : Code::kUnavailable;
    return base::error(code, std::string("cannot be read: ") + std::strerror(number), path_,
                       "check that the file exists and that the gateway's user may read it");
  }

  const std::string& path_;
  int fd_;
  uint64_t size_ = 0;
};

Error refused(const std::string& path, std::string what, std::string hint = kBuildAgain) {
  return base::error(Code::kInvalid, std::move(what), path, std::move(hint));
}

Error truncated(const std::string& path, const std::string& what) {
  return refused(path, "is truncated before the end of " + what,
                 "the file was not copied completely; copy it again");
}

Status judge_identity(const File& file, const std::string& path) {
  std::array<unsigned char, EI_NIDENT> ident;
  if (file.size() == 0) return refused(path, "is empty", "the file was not copied completely; copy it again");
  bool whole = file.read(0, ident.data(), ident.size());
  char magic[SELFMAG] = {};
  if (!file.read(0, magic, SELFMAG) || std::memcmp(magic, ELFMAG, SELFMAG) != 0) {
    return refused(path, "is not an ELF file", "a plugin is a shared library for this machine");
  }
  if (!whole) return truncated(path, "the ELF header");
  if (ident[EI_CLASS] != ELFCLASS64) {
    return refused(path, "is a 32-bit library, this gateway is 64-bit",
                   "build it for " + machine_name(kMachine));
  }
  if (ident[EI_DATA] != ELFDATA2LSB) {
    return refused(path, "is a big-endian library, this gateway is little-endian",
                   "build it for " + machine_name(kMachine));
  }
  return {};
}

Result<Elf64_Ehdr> read_header(const File& file, const std::string& path) {
  if (Status identity = judge_identity(file, path); !identity) return identity.error();
  Elf64_Ehdr header;
  if (!file.read(0, &header, sizeof header)) return truncated(path, "the ELF header");
  if (header.e_machine != kMachine) {
    return refused(path,
                   "was built for " + machine_name(header.e_machine) + ", this gateway runs on " +
                       machine_name(kMachine),
                   "install the build for " + machine_name(kMachine));
  }
  if (header.e_type == ET_EXEC) return refused(path, "is a program, not a shared library");
  if (header.e_type != ET_DYN) return refused(path, "is an object file or a core dump, not a shared library");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments) {
    return refused(path, "has no program headers that can be read");
  }
  // The section headers come last in a file, so this finds a copy that stopped half-way.
  uint64_t sections = uint64_t{header.e_shentsize} * header.e_shnum;
  if (header.e_shoff != 0 && !file.holds(header.e_shoff, sections)) {
    return truncated(path, "the section headers");
  }
  return header;
}

Result<std::vector<Elf64_Phdr>> read_segments(const File& file, const Elf64_Ehdr& header,
                                              const std::string& path) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!file.read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr))) {
    return truncated(path, "the program headers");
  }
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NULL && !file.holds(segment.p_offset, segment.p_filesz)) {
      return truncated(path, "a segment");
    }
  }
  return segments;
}

// Position-independent programs are ET_DYN too; the dynamic table tells them from libraries.
bool is_program(const File& file, const Elf64_Phdr& dynamic) {
  if (dynamic.p_filesz > kMaxSegmentBytes) return false;
  std::vector<Elf64_Dyn> entries(dynamic.p_filesz / sizeof(Elf64_Dyn));
  if (!file.read(dynamic.p_offset, entries.data(), entries.size() * sizeof(Elf64_Dyn))) return false;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0) return true;
  }
  return false;
}

// Looks for the Weir note in one note segment (ELF gABI, "Note Section"). The text is without its NULs.
std::optional<std::string> find_note(std::string_view segment, uint64_t alignment) {
  const size_t align = alignment == 8 ? 8 : 4;
  auto padded = [align](size_t n) { return (n + align - 1) / align * align; };
  const std::string_view owner(WEIR_NOTE_OWNER, sizeof(WEIR_NOTE_OWNER));  // with its NUL
  size_t at = 0;
  while (segment.size() - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr head;
    std::memcpy(&head, segment.data() + at, sizeof head);
    const size_t name = at + sizeof head;
    // The sizes are 32-bit numbers, so these sums cannot overflow.
    const size_t description = name + padded(head.n_namesz);
    const size_t end = description + head.n_descsz;
    if (end > segment.size()) return std::nullopt;
    if (head.n_type == WEIR_NOTE_TYPE && segment.substr(name, head.n_namesz) == owner) {
      std::string text(segment.substr(description, head.n_descsz));
      text.resize(text.find_last_not_of('\0') + 1);
      return text;
    }
    at = std::min(segment.size(), description + padded(head.n_descsz));
  }
  return std::nullopt;
}

Result<std::string> note_text(const File& file, const std::vector<Elf64_Phdr>& segments,
                              const std::string& path) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_DYNAMIC && is_program(file, segment)) {
      return refused(path, "is a program, not a shared library");
    }
  }
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxSegmentBytes) continue;
    std::string bytes(segment.p_filesz, '\0');
    if (!file.read(segment.p_offset, bytes.data(), bytes.size())) return truncated(path, "a note");
    if (std::optional<std::string> text = find_note(bytes, segment.p_align)) return *text;
  }
  return refused(path, "is a shared library without a Weir note, so it is not a Weir plugin",
                 "a plugin's source has one WEIR_PLUGIN_NOTE(id, version, components) at file scope");
}

std::optional<Kind> kind_from(const std::string& name) {
  for (Kind kind : {Kind::kSource, Kind::kTransform, Kind::kSink}) {
    if (name == kind_name(kind)) return kind;
  }
  return std::nullopt;
}

Error bad_note(const std::string& path, const std::string& what) {
  return refused(path, "has a wrong Weir note: " + what,
                 "the note is {\"abi\": [major, lowest minor, highest minor], \"id\", \"version\", "
                 "\"components\": {name: kind}}");
}

Status read_abi(const nlohmann::json& note, const std::string& path, Note& out) {
  auto abi = note.find("abi");
  if (abi == note.end()) return bad_note(path, "\"abi\" is missing");
  bool numbers = abi->is_array() && abi->size() == 3;
  for (size_t i = 0; numbers && i < 3; ++i) {
    numbers = (*abi)[i].is_number_unsigned() && (*abi)[i].get<uint64_t>() <= UINT32_MAX;
  }
  if (!numbers) return bad_note(path, "\"abi\" must be three numbers");
  out.abi_major = (*abi)[0].get<uint32_t>();
  out.abi_minor_low = (*abi)[1].get<uint32_t>();
  out.abi_minor_high = (*abi)[2].get<uint32_t>();
  if (out.abi_minor_low > out.abi_minor_high) {
    return bad_note(path, "the lowest minor of \"abi\" is above the highest");
  }
  return {};
}

Status read_components(const nlohmann::json& note, const std::string& path, Note& out) {
  auto components = note.find("components");
  if (components == note.end()) return bad_note(path, "\"components\" is missing");
  if (!components->is_object() || components->empty()) {
    return bad_note(path, "\"components\" must be an object with at least one component");
  }
  for (const auto& [name, kind] : components->items()) {
    std::optional<Kind> known =
        kind.is_string() ? kind_from(kind.get_ref<const std::string&>()) : std::nullopt;
    if (!known) {
      return bad_note(path, "the kind of \"" + name + "\" must be \"source\", \"transform\" or \"sink\"");
    }
    out.components.emplace(name, *known);
  }
  return {};
}

Result<Note> parse_note(const std::string& text, const std::string& path) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return bad_note(path, "it is not valid JSON");
  if (!json.is_object()) return bad_note(path, "it is not a JSON object");
  Note note;
  if (Status abi = read_abi(json, path, note); !abi) return abi.error();
  for (auto [key, to] : {std::pair("id", &note.id), std::pair("version", &note.version)}) {
    auto found = json.find(key);
    if (found == json.end()) return bad_note(path, std::string("\"") + key + "\" is missing");
    if (!found->is_string() || found->get_ref<const std::string&>().empty()) {
      return bad_note(path, std::string("\"") + key + "\" must be text that is not empty");
    }
    *to = found->get<std::string>();
  }
  if (Status components = read_components(json, path, note); !components) return components.error();
  return note;
}

std::string minors(uint32_t major, uint32_t low, uint32_t high) {
  std::string first = std::to_string(major) + "." + std::to_string(low);
  return low == high ? first : first + " to " + std::to_string(major) + "." + std::to_string(high);
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kSource:
      return "source";
    case Kind::kTransform:
      return "transform";
    case Kind::kSink:
      return "sink";
  }
  return "unknown kind";
}

Result<Note> read_note(const std::string& path) {
  File file(path);
  if (Status begun = file.begin(); !begun) return begun.error();
  Result<Elf64_Ehdr> header = read_header(file, path);
  if (!header) return header.error();
  Result<std::vector<Elf64_Phdr>> segments = read_segments(file, *header, path);
  if (!segments) return segments.error();
  Result<std::string> text = note_text(file, *segments, path);
  if (!text) return text.error();
  return parse_note(*text, path);
}

Status judge_abi(const Note& note, const std::string& path) {
  const bool draft = WEIR_ABI_MAJOR == 0;
  const bool fits = note.abi_major == WEIR_ABI_MAJOR && note.abi_minor_low <= WEIR_ABI_MINOR &&
                    (!draft || note.abi_minor_high >= WEIR_ABI_MINOR);
  if (fits) return {};
  const bool newer = note.abi_major > WEIR_ABI_MAJOR ||
                     (note.abi_major == WEIR_ABI_MAJOR && note.abi_minor_low > WEIR_ABI_MINOR);
  return refused(path,
                 "was built for the plugin ABI " +
                     minors(note.abi_major, note.abi_minor_low, note.abi_minor_high) + ", this gateway has " +
                     minors(WEIR_ABI_MAJOR, WEIR_ABI_MINOR, WEIR_ABI_MINOR),
                 newer ? "upgrade the gateway, or install an older version of the plugin"
                       : "install a newer version of the plugin");
}

}  // namespace weir::plugin

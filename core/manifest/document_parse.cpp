// The parse: nlohmann's SAX reader finds the text right or wrong, a cursor walks along for the places.
#include <algorithm>

#include "base/result.h"
#include "manifest/document_tree.h"
#include "manifest/text_cursor.h"

namespace weir::manifest {
namespace {

using nlohmann::json;

// Builds values and places from the reader's events; ends the reading at what the reader lets pass and we do
// not.
class TreeBuilder final : public json::json_sax_t {
 public:
  TreeBuilder(const std::string& file, std::string_view text, json& root, PlaceNode& places,
              Problems& problems)
      : file_(file), text_(text), cursor_(text), root_(root), places_(places), problems_(problems) {}

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(json::number_integer_t value) override { return scalar(value); }
  bool number_unsigned(json::number_unsigned_t value) override { return scalar(value); }
  bool number_float(json::number_float_t value, const std::string& written) override;
  bool string(std::string& value) override;
  bool binary(json::binary_t&) override { return false; }  // no such thing in JSON text
  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override;
  bool parse_error(size_t position, const std::string& last_token, const json::exception& error) override;

 private:
  struct Frame {
    json* value;
    PlaceNode* place;
  };

  bool count();
  bool scalar(json value);
  bool open(json value);
  bool close();
  Frame place(json value);
  bool refuse(Position position, std::string what, std::string expected = "");
  bool refuse_syntax(size_t read, const std::string& message);
  std::string unclosed() const;
  std::string pointer() const;

  const std::string& file_;
  std::string_view text_;
  TextCursor cursor_;
  json& root_;
  PlaceNode& places_;
  Problems& problems_;
  std::vector<Frame> open_;
  std::vector<std::string> path_;  // the key of each open value but the root
  std::string key_;
  Position key_position_;
  size_t values_ = 0;
};

bool TreeBuilder::refuse(Position position, std::string what, std::string expected) {
  problems_.push_back({file_, position, pointer(), std::move(what), std::move(expected)});
  return false;
}

std::string TreeBuilder::pointer() const {
  std::string pointer;
  for (const std::string& key : path_) pointer = child_pointer(pointer, key);
  return pointer;
}

// Puts a value where the reader is. The pointers of the open frames stay good: a container grows only when no
// value inside it is open.
TreeBuilder::Frame TreeBuilder::place(json value) {
  Frame frame{&root_, &places_};
  if (open_.empty()) {
    root_ = std::move(value);
  } else if (Frame& parent = open_.back(); parent.value->is_array()) {
    frame.value = &parent.value->emplace_back(std::move(value));
    frame.place = &parent.place->items.emplace_back();
  } else {
    frame.value = &((*parent.value)[key_] = std::move(value));
    auto& member = parent.place->members[key_];
    member = std::make_unique<PlaceNode>();
    member->key = key_position_;
    frame.place = member.get();
  }
  frame.place->value = cursor_.position();
  return frame;
}

bool TreeBuilder::count() {
  if (++values_ <= Document::kMaxValues) return true;
  return refuse(cursor_.position(), "too many values",
                "at most " + std::to_string(Document::kMaxValues) + " in one manifest");
}

bool TreeBuilder::scalar(json value) {
  cursor_.skip_filler();
  if (!count()) return false;
  place(std::move(value));
  cursor_.skip_token();
  return true;
}

bool TreeBuilder::open(json value) {
  cursor_.skip_filler();
  if (!count()) return false;
  if (open_.size() == Document::kMaxDepth) {
    return refuse(cursor_.position(), "nested too deep",
                  "at most " + std::to_string(Document::kMaxDepth) + " levels");
  }
  if (!open_.empty()) {
    const Frame& parent = open_.back();
    path_.push_back(parent.value->is_array() ? std::to_string(parent.value->size()) : key_);
  }
  open_.push_back(place(std::move(value)));
  cursor_.skip_token();
  return true;
}

bool TreeBuilder::close() {
  cursor_.skip_filler();
  cursor_.skip_token();
  open_.pop_back();
  if (!path_.empty()) path_.pop_back();
  return true;
}

bool TreeBuilder::number_float(json::number_float_t value, const std::string& written) {
  // The reader makes a float of an integer that fits no 64 bits, and so another number than was written.
  if (written.find_first_of(".eE") == std::string::npos) {
    cursor_.skip_filler();
    return refuse(cursor_.position(), "the number " + in_quotes(written, '\'') + " is out of range",
                  "an integer of 64 bits");
  }
  return scalar(value);
}

bool TreeBuilder::string(std::string& value) {
  if (value.find('\0') != std::string::npos) {
    cursor_.skip_filler();
    return refuse(cursor_.position(), "the string holds a NUL character", "text without \\u0000");
  }
  return scalar(std::move(value));
}

bool TreeBuilder::key(std::string& name) {
  cursor_.skip_filler();
  key_ = name;
  key_position_ = cursor_.position();
  cursor_.skip_token();
  if (name.size() > Document::kMaxKeyBytes || name.find('\0') != std::string::npos) {
    return refuse(key_position_, "the key " + in_quotes(name) + " is too long or holds a NUL character",
                  "at most " + std::to_string(Document::kMaxKeyBytes) + " bytes of text");
  }
  const Frame& object = open_.back();
  if (auto first = object.place->members.find(name); first != object.place->members.end()) {
    const Position before = first->second->key;
    problems_.push_back({file_, key_position_, child_pointer(pointer(), name),
                         "the key " + in_quotes(name) + " appears twice",
                         "each key once; the first is in line " + std::to_string(before.line)});
  }
  return problems_.size() < kMaxProblems;
}

// "to close the object that begins in line 3"
std::string TreeBuilder::unclosed() const {
  if (open_.empty()) return "a JSON object";
  const Frame& frame = open_.back();
  const bool object = frame.value->is_object();
  return std::string(object ? "'}' to close the object" : "']' to close the array") +
         " that begins in line " + std::to_string(frame.place->value.line);
}

// The part of the reader's message that helps a person: what it was reading, what is wrong there.
struct Complaint {
  std::string reading;  // "object key", "value", ...
  std::string what;     // "unexpected '}'", "invalid literal", ...
};

Complaint complaint(std::string_view message) {
  constexpr std::string_view kReading = "while parsing ";
  Complaint found;
  const size_t dash = message.find(" - ");
  if (dash == std::string_view::npos) return {"", std::string(message)};
  if (size_t at = message.find(kReading); at < dash) {
    found.reading = message.substr(at + kReading.size(), dash - at - kReading.size());
  }
  std::string_view what = message.substr(dash + 3);
  for (std::string_view tail : {"; last read: '", "; expected "}) what = what.substr(0, what.find(tail));
  if (what.starts_with("invalid string: ")) what.remove_prefix(std::string_view("invalid string: ").size());
  found.what = what;
  return found;
}

std::string expectation(const std::string& reading) {
  if (reading == "object key") return "a key in double quotes";
  if (reading == "object separator") return "':' after the key";
  if (reading == "object") return "',' or '}'";
  if (reading == "array") return "',' or ']'";
  return "a value: text goes in double quotes";
}

bool TreeBuilder::parse_error(size_t read, const std::string&, const json::exception& error) {
  if (error.id != 406) return refuse_syntax(read, error.what());
  cursor_.skip_filler();
  const size_t begin = cursor_.offset();
  const Position position = cursor_.position();
  cursor_.skip_token();
  return refuse(
      position,
      "the number " + in_quotes(text_.substr(begin, cursor_.offset() - begin), '\'') + " is out of range",
      "a number of at most 1.8e308");
}

// `read`: how many bytes the reader has read; the last of them is the first it could not take, or the last of
// the token that does not belong here.
bool TreeBuilder::refuse_syntax(size_t read, const std::string& message) {
  const Complaint found = complaint(message);
  cursor_.skip_filler();
  const size_t last = read == 0 ? 0 : read - 1;
  const bool in_string = cursor_.here() == '"' && last > cursor_.offset();

  if (found.what == "unexpected end of input") {
    return refuse(position_of(text_, text_.size()), "the file ends too early", unclosed());
  }
  if ((cursor_.here() == '}' || cursor_.here() == ']') && cursor_.comma()) {
    return refuse(position_of(text_, *cursor_.comma()), "a comma with nothing after it",
                  std::string("no comma before '") + cursor_.here() + "'");
  }
  if (in_string &&
      (found.what.starts_with("control character U+000A") || found.what == "missing closing quote")) {
    return refuse(cursor_.position(), "the string does not end in its line",
                  "'\"' at its end, \\n for a new line");
  }
  if (in_string && !found.what.starts_with("unexpected")) {
    return refuse(position_of(text_, std::min(last, text_.size())), found.what, "a string as JSON writes it");
  }
  if (found.what.starts_with("invalid comment")) {
    return refuse(cursor_.position(), "a comment that does not end or is none",
                  "// to the line's end, or /* ... */");
  }
  const bool complete = open_.empty() && values_ > 0;
  const Position position = cursor_.offset() > last ? position_of(text_, last) : cursor_.position();
  return refuse(position, found.what, complete ? "the end of the file" : expectation(found.reading));
}

}  // namespace

bool parse_document(const std::string& file, std::string_view text, json& root, PlaceNode& places,
                    Problems& problems) {
  const auto refuse = [&](Position position, std::string what, std::string expected) {
    problems.push_back({file, position, "", std::move(what), std::move(expected)});
    return false;
  };
  if (text.size() > Document::kMaxBytes)
    return refuse({}, "the file is larger than 1 MiB", "a smaller manifest");
  if (auto bad = find_bad_utf8(text))
    return refuse(position_of(text, *bad), "bytes that are no text", "UTF-8");
  // The reader takes a NUL for the end of the text and would not see what follows.
  if (size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return refuse(position_of(text, nul), "a NUL byte", "text");
  }
  Problems found;
  TreeBuilder builder(file, text, root, places, found);
  const bool read =
      json::sax_parse(text.begin(), text.end(), &builder, json::input_format_t::json, true, true);
  if (read && found.empty() && !root.is_object()) {
    TextCursor cursor(text);
    cursor.skip_filler();
    found.push_back({file, cursor.position(), "", "not an object", "a JSON object: { ... }"});
  }
  const bool good = read && found.empty();
  WEIR_CHECK(good || !found.empty());
  problems.insert(problems.end(), found.begin(), found.end());
  return good;
}

}  // namespace weir::manifest

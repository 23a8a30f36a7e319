#include <algorithm>
#include <optional>

#include "program.h"
#include "tokens.h"
#include "weir/condition/condition.h"

namespace weir::condition {
namespace {

constexpr char kComparison[] = "a comparison like value > 80";
constexpr char kFields[] = "device_id, sensor_type, unit, value, timestamp, received_at or metadata.KEY";

// What is known of an operand before there is an event.
enum class Known : uint8_t { kText, kNumber, kBoolean, kTag, kAnything };

struct NamedField {
  std::string_view name;
  Field field;
  Known known;
  uint32_t flag = 0;
};

constexpr NamedField kNamed[] = {
    {"device_id", Field::kDeviceId, Known::kText},
    {"sensor_type", Field::kSensorType, Known::kText},
    {"unit", Field::kUnit, Known::kText},
    {"value", Field::kValue, Known::kAnything},
    {"timestamp", Field::kTimestamp, Known::kNumber},
    {"received_at", Field::kReceivedAt, Known::kNumber},
    {"derived", Field::kFlag, Known::kBoolean, WEIR_DERIVED},
    {"replayed", Field::kFlag, Known::kBoolean, WEIR_REPLAY},
    {"retained", Field::kFlag, Known::kBoolean, WEIR_RETAINED},
    {"clock_suspect", Field::kFlag, Known::kBoolean, WEIR_CLOCK_SUSPECT},
    {"no_device_time", Field::kFlag, Known::kBoolean, WEIR_NO_DEVICE_TIME},
};

const char* name_of(Known known) {
  switch (known) {
    case Known::kText:
    case Known::kTag: return "text";
    case Known::kNumber: return "a number";
    case Known::kBoolean: return "true or false";
    case Known::kAnything: break;
  }
  return "anything";
}

// An operand and what is known of it.
struct Typed {
  Operand operand;
  Known known = Known::kAnything;
  Token token;  // where it begins
};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Program run() {
    either();
    if (here().kind != Token::Kind::kEnd) refuse_rest();
    return std::move(program_);
  }

 private:
  [[noreturn]] static void fail(const Token& token, std::string message, std::string expected) {
    throw Fault{token.column, std::move(message), std::move(expected)};
  }

  [[noreturn]] void refuse_rest() const {
    if (is_word("and")) fail(here(), "'and' is no operator", "'&&'");
    if (is_word("or")) fail(here(), "'or' is no operator", "'||'");
    fail(here(), describe(here()) + " does not belong here", "'&&', '||' or the end");
  }

  const Token& here() const { return tokens_[at_]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is_symbol(std::string_view text) const { return here().kind == Token::Kind::kSymbol && here().text == text; }
  bool is_word(std::string_view text) const { return here().kind == Token::Kind::kName && here().text == text; }
  bool accept(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    take();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail(here(), describe(here()) + " does not belong here", "'" + std::string(symbol) + "'");
  }

  uint32_t add(Node node) {
    program_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(program_.nodes.size() - 1);
  }

  // Each returns the place of its node.
  uint32_t either() {
    uint32_t left = both();
    while (accept("||")) left = add({Operation::kOr, left, both(), {}, {}, {}});
    return left;
  }

  uint32_t both() {
    uint32_t left = one();
    while (accept("&&")) left = add({Operation::kAnd, left, one(), {}, {}, {}});
    return left;
  }

  uint32_t one() {
    if (is_word("not")) fail(here(), "'not' is no operator", "'!'");
    const Token first = here();
    const bool inner = is_symbol("!") || is_symbol("(");
    if (inner && ++depth_ > kMaxDepth) fail(first, "brackets and ! lie in each other too deeply", "a simpler condition");
    if (accept("!")) {
      const uint32_t negated = one();
      --depth_;
      return add({Operation::kNot, negated, 0, {}, {}, {}});
    }
    if (accept("(")) {
      const uint32_t whole = either();
      expect(")");
      --depth_;
      return whole;
    }
    if (is_word("has")) return has();
    return comparison();
  }

  uint32_t has() {
    take();
    expect("(");
    Typed field = operand();
    if (field.operand.field == Field::kNone || field.operand.field == Field::kFlag) {
      fail(field.token, "has() asks for a field, and this is none", kFields);
    }
    expect(")");
    return add({Operation::kHas, 0, 0, std::move(field.operand), {}, {}});
  }

  uint32_t comparison() {
    Typed left = operand();
    if (is_word("in")) return in(std::move(left));
    if (is_word("like")) return like(std::move(left));
    std::optional<Operation> operation = comparing();
    if (!operation) return alone(std::move(left));
    const Token symbol = take();
    Typed right = operand();
    check_pair(left, right);
    const bool orders = *operation != Operation::kEqual && *operation != Operation::kUnequal;
    if (orders && (left.known == Known::kBoolean || right.known == Known::kBoolean)) {
      fail(symbol, "true and false have no order", "'==' or '!='");
    }
    return add({*operation, 0, 0, std::move(left.operand), std::move(right.operand), {}});
  }

  std::optional<Operation> comparing() const {
    static constexpr std::pair<std::string_view, Operation> kOperations[] = {
        {"==", Operation::kEqual}, {"!=", Operation::kUnequal},      {"<", Operation::kLess},
        {"<=", Operation::kLessOrEqual}, {">", Operation::kGreater}, {">=", Operation::kGreaterOrEqual}};
    for (const auto& [symbol, operation] : kOperations) {
      if (is_symbol(symbol)) return operation;
    }
    return std::nullopt;
  }

  // An operand that is compared with nothing must be a condition by itself.
  uint32_t alone(Typed left) {
    if (left.known != Known::kBoolean) {
      fail(here(), "after " + describe(left.token) + " a comparison is missing", kComparison);
    }
    const Operation operation = left.operand.field == Field::kFlag ? Operation::kFlag : Operation::kConstant;
    return add({operation, 0, 0, std::move(left.operand), {}, {}});
  }

  uint32_t in(Typed left) {
    take();
    expect("[");
    Node node{Operation::kIn, 0, 0, left.operand, {}, {}};
    do {
      Typed member = operand();
      if (member.operand.field != Field::kNone) fail(member.token, "a list holds literals only", "a text or a number");
      check_pair(left, member);
      node.list.push_back(std::move(member.operand));
    } while (accept(","));
    expect("]");
    return add(std::move(node));
  }

  uint32_t like(Typed left) {
    take();
    if (left.known == Known::kNumber || left.known == Known::kBoolean) {
      fail(left.token, std::string("'like' compares text, and this is ") + name_of(left.known), "a field that is text");
    }
    if (here().kind != Token::Kind::kText) fail(here(), describe(here()) + " is no pattern", "one like 'boiler-*'");
    Node node{Operation::kLike, 0, 0, std::move(left.operand), {}, {}};
    node.right.type = Operand::Type::kText;
    node.right.text = take().text;
    return add(std::move(node));
  }

  static void check_pair(const Typed& left, const Typed& right) {
    auto loose = [](Known known) { return known == Known::kAnything || known == Known::kTag; };
    if (left.known == right.known || loose(left.known) || loose(right.known)) return;
    fail(right.token, describe(left.token) + " is " + name_of(left.known) + " and " + describe(right.token) + " is " +
                          name_of(right.known) + ": they are never equal",
         name_of(left.known));
  }

  Typed operand() {
    Typed typed;
    typed.token = take();
    Operand& operand = typed.operand;
    switch (typed.token.kind) {
      case Token::Kind::kText:
        operand.type = Operand::Type::kText;
        operand.text = typed.token.text;
        typed.known = Known::kText;
        return typed;
      case Token::Kind::kInteger:
        operand.type = Operand::Type::kInteger;
        operand.integer = typed.token.integer;
        typed.known = Known::kNumber;
        return typed;
      case Token::Kind::kReal:
        operand.type = Operand::Type::kReal;
        operand.real = typed.token.real;
        typed.known = Known::kNumber;
        return typed;
      case Token::Kind::kName: read_name(&typed); return typed;
      default: fail(typed.token, describe(typed.token) + " stands where a field or a literal should", kComparison);
    }
  }

  void read_name(Typed* typed) {
    const std::string& name = typed->token.text;
    Operand& operand = typed->operand;
    if (name == "true" || name == "false") {
      operand.type = Operand::Type::kBoolean;
      operand.boolean = name == "true";
      typed->known = Known::kBoolean;
      return;
    }
    if (name == "metadata" || name.starts_with("metadata.")) {
      operand.field = Field::kMetadata;
      typed->known = Known::kTag;
      operand.text = name == "metadata" ? bracketed_key() : name.substr(sizeof "metadata");
      if (operand.text.empty()) fail(typed->token, "the key of the metadata is missing", "metadata.KEY or metadata['KEY']");
      return;
    }
    for (const NamedField& field : kNamed) {
      if (field.name != name) continue;
      operand.field = field.field;
      operand.flag = field.flag;
      typed->known = field.known;
      return;
    }
    fail(typed->token, "there is no field '" + name + "'", kFields);
  }

  std::string bracketed_key() {
    expect("[");
    if (here().kind != Token::Kind::kText) fail(here(), describe(here()) + " is no key", "one like metadata['room 2']");
    std::string key = take().text;
    expect("]");
    return key;
  }

  const std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  Program program_;
};

}  // namespace

std::variant<Condition, Fault> Condition::compile(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Fault{1, "it is longer than " + std::to_string(kMaxBytes) + " bytes", "a shorter condition"};
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Fault{1, "it is empty", kComparison};
  try {
    return Condition(std::make_shared<const Program>(Parser(read_tokens(text)).run()));
  } catch (Fault& fault) {
    return std::move(fault);
  }
}

bool Condition::holds(const weir_batch* batch, uint32_t i) const {
  return condition::holds(*program_, static_cast<uint32_t>(program_->nodes.size() - 1), sdk::EventView(batch, i));
}

}  // namespace weir::condition

// A sink in a child. What is with it when it dies is reported as to be tried again. When an event was there in a death,
// its batch is given event by event, so that the one that kills is found, and only that one is given up.
#include <algorithm>
#include <cstring>

#include "event/merge.h"
#include "isolation/remote.h"

namespace weir::isolation {
namespace {

constexpr base::Duration kLimitsLimit = std::chrono::seconds(4);
// Left of a batch's time when it is not gone on with event by event.
constexpr base::Duration kMargin = std::chrono::seconds(5);
constexpr size_t kMaxReason = 1024;
constexpr uint64_t kNobody = UINT64_MAX;  // no consumer's token
constexpr uint64_t kMaxLate = 1000;       // a child that goes on and on is not worth the consumer's time

weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

void copy_text(weir_error* error, std::string_view from) {
  if (error == nullptr || error->text == nullptr || error->text_capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), error->text_capacity - 1);
  std::memcpy(error->text, from.data(), size);
  error->text[size] = '\0';
}

}  // namespace

void Remote::limits(weir_sink_limits* limits) {
  if (auto child = link()) *limits = child->call(Step::kLimits, base::now() + kLimitsLimit).limits;
}

weir_status Remote::submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error) {
  std::shared_ptr<Link> child = link();
  if (child != nullptr) {
    std::string head;
    std::string_view bytes;
    // A child may say that it has completed what it has not read to its end.
    std::shared_ptr<const event::Block> kept;
    {
      std::lock_guard lock(mutex_);
      Submitted& submitted = submitted_[token];
      submitted.batch = batch;
      submitted.deadline_ns = deadline_ns;
      submitted.careful = suspects_.any(batch);
      // What is given carefully is alone in the child, so that it is known who kills it.
      auto blocks = [&](const auto& other) { return other.first != token && (submitted.careful || other.second.careful); };
      if (std::any_of(submitted_.begin(), submitted_.end(), blocks)) return WEIR_OK;
      head = message_for(submitted, token, &bytes);
      kept = submitted.one;
    }
    if (child->send(Message::kSubmit, {head, bytes}, base::Monotonic(base::Duration(deadline_ns)))) return WEIR_OK;
    std::lock_guard lock(mutex_);
    auto found = submitted_.find(token);
    // When it is no longer there, the child's end has reported it already.
    if (found == submitted_.end()) return WEIR_OK;
    given_.erase(found->second.given);
    submitted_.erase(found);
  }
  copy_text(error, down_text());
  return WEIR_E_UNAVAILABLE;
}

// With mutex_ held: gives the batch, or the event whose turn it is, its number. What precedes it in the message, and the
// bytes themselves.
std::string Remote::message_for(Submitted& submitted, uint64_t token, std::string_view* batch) {
  given_.erase(submitted.given);
  submitted.given = next_given_++;
  given_[submitted.given] = token;
  const weir_batch* whole = submitted.batch;
  *batch = {reinterpret_cast<const char*>(whole), static_cast<size_t>(whole->total_size)};
  if (submitted.careful) {
    event::Merger merger;
    merger.add(whole, submitted.next);
    submitted.one = std::make_shared<const event::Block>(merger.take());
    *batch = {reinterpret_cast<const char*>(submitted.one->data()), submitted.one->size()};
  }
  return Writer().number(submitted.given).number(submitted.deadline_ns).bytes();
}

// What waits for its turn, when it has come.
void Remote::give_next(Link& link) {
  std::map<uint64_t, Submitted> refused;
  {
    std::lock_guard lock(mutex_);
    for (auto at = submitted_.begin(); at != submitted_.end();) {
      Submitted& submitted = at->second;
      auto with_child = [&](const auto& other) { return other.second.given != 0; };
      auto careful = [&](const auto& other) { return other.second.given != 0 && other.second.careful; };
      if (submitted.given != 0) {
        ++at;
        continue;
      }
      bool alone = submitted.careful ? std::any_of(submitted_.begin(), submitted_.end(), with_child)
                                     : std::any_of(submitted_.begin(), submitted_.end(), careful);
      if (alone) break;
      std::string_view bytes;
      std::string head = message_for(submitted, at->first, &bytes);
      if (link.try_send(Message::kSubmit, {head, bytes})) {
        ++at;
        continue;
      }
      given_.erase(submitted.given);
      conclude(submitted, "had no room for it");
      refused.insert(submitted_.extract(at++));
    }
  }
  for (auto& [token, submitted] : refused) complete(token, submitted);
}

void Remote::cancel(uint64_t token) {
  uint64_t given = 0;
  {
    std::lock_guard lock(mutex_);
    if (auto found = submitted_.find(token); found != submitted_.end()) given = found->second.given;
    given_.erase(given);
    submitted_.erase(token);
  }
  std::shared_ptr<Link> child = link();
  if (child == nullptr) return;
  // When there is no room the child goes on with it in vain: its completion is for nobody.
  if (given != 0) child->try_send(Message::kCancel, {Writer().number(given).bytes()});
  give_next(*child);
}

void Remote::complete(uint64_t token, const std::vector<weir_sink_result>& results) {
  delivery_->complete(host_, token, results.data(), static_cast<uint32_t>(results.size()));
}

void Remote::completed(Link& link, Reader body) {
  auto number = body.number<uint64_t>();
  auto count = body.number<uint32_t>();
  if (count > WEIR_BATCH_MAX_EVENTS) count = 0;  // a wrong number is the consumer's to judge
  std::vector<weir_sink_result> results;
  for (uint32_t i = 0; i < count && body.ok(); ++i) {
    weir_sink_result result{};
    result.outcome = body.number<uint32_t>();
    result.retry_after_ms = body.number<uint32_t>();
    result.code = body.number<uint32_t>();
    result.reason = text_of(body.text().substr(0, kMaxReason));
    results.push_back(result);
  }
  if (!body.ok()) return link.kill("sent nonsense and was ended");
  uint64_t token;
  bool careful;
  {
    std::lock_guard lock(mutex_);
    // A second completion, or one of a batch that was given up, finds nothing: the consumer counts it.
    auto given = given_.extract(number);
    token = given.empty() ? kNobody : given.mapped();
    if (given.empty() && ++late_ > kMaxLate) return;
  }
  if (token == kNobody) return complete(kNobody, std::vector<weir_sink_result>());
  {
    std::lock_guard lock(mutex_);
    if (!submitted_.contains(token)) return;  // cancelled meanwhile
    Submitted& submitted = submitted_.at(token);
    careful = submitted.careful;
    if (!careful) {
      suspects_.clear(submitted.batch, 0, submitted.batch->count);
      submitted_.erase(token);
    }
  }
  if (!careful) {
    complete(token, results);
    return give_next(link);
  }
  weir_sink_result wrong{WEIR_RETRY, 0, 0, 0, text_of("the sink reported a wrong number of results")};
  finish_one(link, token, count == 1 ? results[0] : wrong);
}

// A careful batch goes on with its next event, or is done: at the end, and before its time is over, because then what was
// delivered of it would be given again.
void Remote::finish_one(Link& link, uint64_t token, const weir_sink_result& result) {
  Submitted done;
  {
    std::lock_guard lock(mutex_);
    auto found = submitted_.find(token);
    if (found == submitted_.end()) return;
    Submitted& at = found->second;
    suspects_.clear(at.batch, at.next, 1);
    at.add(result);
    ++at.next;
    if (at.next < at.batch->count && base::monotonic_ns(base::now() + kMargin) < at.deadline_ns) {
      std::string_view bytes;
      std::string head = message_for(at, token, &bytes);
      if (link.try_send(Message::kSubmit, {head, bytes})) return;
      given_.erase(at.given);
    }
    conclude(at, "had no time for it");
    done = std::move(at);
    submitted_.erase(found);
  }
  complete(token, done);
  give_next(link);
}

// Says what becomes of the events that the child has not dealt with: those that it did not get to are tried again, one
// that has killed it too often is given up. With mutex_ held: then the batch is there.
void Remote::conclude(Submitted& submitted, const std::string& how) {
  std::string again = "its process " + how;
  std::string killer = again + ", " + std::to_string(Suspects::kDeaths) + " times in a row with this event";
  for (uint32_t i = submitted.careful ? submitted.next : 0; i < submitted.batch->count; ++i) {
    bool guilty = submitted.careful && submitted.given != 0 && suspects_.guilty(submitted.batch, i);
    if (guilty) suspects_.clear(submitted.batch, i, 1);
    uint32_t outcome = guilty ? WEIR_REJECT : WEIR_RETRY;
    submitted.add({outcome, 0, 0, 0, text_of(guilty ? killer : again)});
  }
}

void Remote::Submitted::add(const weir_sink_result& result) {
  results.push_back(result);
  reasons.emplace_back(result.reason.size != 0 ? result.reason.data : "", static_cast<size_t>(result.reason.size));
}

void Remote::complete(uint64_t token, Submitted& submitted) {
  for (size_t i = 0; i < submitted.results.size(); ++i) submitted.results[i].reason = text_of(submitted.reasons[i]);
  complete(token, submitted.results);
}

void Remote::not_taken(Link& link, Reader body) {
  auto number = body.number<uint64_t>();
  body.number<weir_status>();
  auto retry_after_ms = body.number<uint32_t>();
  std::string_view text = body.text().substr(0, kMaxReason);
  if (text.empty()) text = "the sink did not take the batch";
  uint64_t token;
  bool careful;
  {
    std::lock_guard lock(mutex_);
    auto given = given_.extract(number);
    if (given.empty()) return;
    token = given.mapped();
    careful = submitted_.at(token).careful;
    if (!careful) submitted_.erase(token);
  }
  weir_sink_result result{WEIR_RETRY, retry_after_ms, 0, 0, text_of(text)};
  if (careful) return finish_one(link, token, result);
  complete(token, std::vector{result});
  give_next(link);
}

}  // namespace weir::isolation

#include "delivery.h"

#include <algorithm>
#include <utility>

#include "../client/retry_after.h"
#include "rejections.h"
#include "verdict.h"

namespace weir::http::sink {
namespace {

using client::Clock;

// Before the host's deadline: its own copy of the results must still get there, from another process too.
constexpr std::chrono::milliseconds kMargin{500};
// A request that would have less time than this is not begun.
constexpr std::chrono::milliseconds kLeastTime{50};

}  // namespace

Delivery::Delivery(DeliveryContext& context, uint64_t token, OutgoingBatch batch, Clock::time_point until)
    : context_(context), token_(token), until_(until - kMargin), batch_(std::move(batch)) {}

void Delivery::start() {
  if (abandoned_) return;
  divide();
  next();
}

void Delivery::abandon() {
  abandoned_ = true;
  if (connection_) std::exchange(connection_, nullptr)->abandon();
}

// Cuts the batch into bodies of at most batch_bytes.
void Delivery::divide() {
  size_t bytes = 0;
  for (const uint32_t place : batch_.unsettled()) {
    const size_t size = batch_.event(place).size() + 1;
    if (parts_.empty() || bytes + size > context_.config->batch_bytes) {
      parts_.emplace_back();
      bytes = 1;  // the bracket
    }
    parts_.back().push_back(place);
    bytes += size;
  }
}

void Delivery::next() {
  while (!parts_.empty() && parts_.front().empty()) parts_.pop_front();
  if (parts_.empty()) return context_.on_finished(token_, batch_);
  if (Clock::now() + kLeastTime > until_) {
    retry_rest(0, {}, "there was no time left for it within the limit of one batch");
    return next();
  }
  try {
    send();
  } catch (const std::exception& failure) {
    context_.on_request(failure.what());
    retry_rest(0, {}, failure.what());
    next();
  }
}

void Delivery::send() {
  client::Request request = context_.writer->write(batch_, parts_.front());
  context_.on_sent(request.head.size() + request.body.size());
  const auto until = std::min(until_, Clock::now() + context_.config->timeout);
  connection_ = context_.client->send(std::move(request), until,
                                      [self = shared_from_this()](const client::Outcome& outcome) {
                                        self->connection_ = nullptr;
                                        if (!self->abandoned_) self->on_outcome(outcome);
                                      });
}

void Delivery::on_outcome(const client::Outcome& outcome) {
  if (outcome.reply) {
    on_reply(*outcome.reply);
  } else {
    context_.on_request(outcome.trouble);
    retry_rest(0, {}, outcome.trouble);
  }
  next();
}

void Delivery::on_reply(const client::Reply& reply) {
  const Verdict verdict = judge(reply.status);
  switch (verdict) {
    case Verdict::kDelivered:
      context_.on_request("");
      batch_.settle(parts_.front(), {WEIR_DELIVERED, 0, 0, 0, {}}, "");
      return parts_.pop_front();
    case Verdict::kTooLarge:
    case Verdict::kEvents:
      context_.on_request("");
      return on_refusal(reply);
    case Verdict::kLater:
    case Verdict::kEndpoint: {
      const std::string text = describe(reply);
      const auto after = client::retry_after(reply.retry_after, reply.date, std::chrono::system_clock::now());
      context_.on_request(text);
      return retry_rest(static_cast<uint32_t>(reply.status), after, text);
    }
  }
}

void Delivery::on_refusal(const client::Reply& reply) {
  if (judge(reply.status) == Verdict::kEvents && refused_by_name(reply)) return;
  if (parts_.front().size() > 1) return halve();
  refuse(parts_.front().front(), reply.status, describe(reply));
  parts_.pop_front();
}

// Settles what the answer names; false when it names nothing.
bool Delivery::refused_by_name(const client::Reply& reply) {
  const Part part = parts_.front();
  const auto named = parse_rejections(reply.body, part.size());
  if (!named) return false;
  std::vector<bool> refused(part.size());
  for (const Rejection& rejection : named->rejected) {
    const uint32_t place = part[rejection.index];
    refuse(place, reply.status, rejection.reason.empty() ? describe(reply) : rejection.reason);
    refused[rejection.index] = true;
  }
  Part others;
  for (size_t i = 0; i < part.size(); ++i) {
    if (!refused[i]) others.push_back(part[i]);
  }
  if (named->others_stored) {
    batch_.settle(others, {WEIR_DELIVERED, 0, 0, 0, {}}, "");
    others.clear();
  }
  parts_.front() = std::move(others);  // sent again without them
  return true;
}

void Delivery::refuse(uint32_t place, int status, std::string reason) {
  context_.on_rejected(1);
  batch_.settle(std::span(&place, 1), {WEIR_REJECT, 0, static_cast<uint32_t>(status), 0, {}}, std::move(reason));
}

void Delivery::halve() {
  Part first = std::move(parts_.front());
  const auto middle = first.begin() + static_cast<std::ptrdiff_t>(first.size() / 2);
  parts_.front().assign(middle, first.end());
  first.erase(middle, first.end());
  parts_.push_front(std::move(first));
}

void Delivery::retry_rest(uint32_t code, std::chrono::milliseconds after, const std::string& reason) {
  Part rest;
  for (const Part& part : parts_) rest.insert(rest.end(), part.begin(), part.end());
  parts_.clear();
  batch_.settle(rest, {WEIR_RETRY, static_cast<uint32_t>(after.count()), code, 0, {}}, reason);
}

}  // namespace weir::http::sink

#include "admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <vector>

namespace weir::admin {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::map<std::string, std::string>;

// Families in the order they were first named.
class Page {
 public:
  void add(const std::string& name, const std::string& help, MetricType type, double value, const Labels& labels = {}) {
    auto [at, fresh] = places_.emplace(name, families_.size());
    if (fresh) families_.push_back({name, help, type, {}});
    prometheus::ClientMetric metric;
    for (const auto& [key, text] : labels) metric.label.push_back({key, text});
    if (type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_[at->second].metric.push_back(std::move(metric));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
  std::map<std::string, size_t> places_;
};

double resident_bytes() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  long size = 0, resident = 0;
  bool read = std::fscanf(file, "%ld %ld", &size, &resident) == 2;
  std::fclose(file);
  return read ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

void add_journal(const journal::Statistics& journal, Page* page) {
  auto gauge = [&](const char* name, const char* help, auto value) {
    page->add(name, help, MetricType::Gauge, static_cast<double>(value));
  };
  auto counter = [&](const char* name, const char* help, auto value) {
    page->add(name, help, MetricType::Counter, static_cast<double>(value));
  };
  gauge("weir_journal_head_sequence", "Sequence of the newest durable event.", journal.head);
  gauge("weir_journal_oldest_sequence", "Sequence of the oldest stored event.", journal.oldest);
  gauge("weir_journal_bytes", "Bytes of all segments.", journal.bytes);
  gauge("weir_journal_max_bytes", "Bytes at which devices are told to wait.", journal.max_bytes);
  gauge("weir_journal_segments", "Segment files.", journal.segments.size());
  gauge("weir_journal_writable", "1 while events can be made durable.", journal.trouble.empty() ? 1 : 0);
  counter("weir_journal_commits_total", "Transactions committed.", journal.writer.commits);
  counter("weir_journal_events_total", "Events committed since the start.", journal.writer.events);
  counter("weir_journal_stored_bytes_total", "Bytes of rows written.", journal.writer.stored_bytes);
  counter("weir_journal_failed_commits_total", "Commits that failed.", journal.writer.failures);
}

void add_consumer(const runtime::ConsumerView& view, Page* page) {
  const delivery::ConsumerStatus& status = view.status;
  const journal::Counts& counts = status.state.counts;
  Labels labels{{"consumer", status.state.name}};
  auto gauge = [&](const char* name, const char* help, auto value) {
    page->add(name, help, MetricType::Gauge, static_cast<double>(value), labels);
  };
  auto counter = [&](const char* name, const char* help, uint64_t value) {
    page->add(name, help, MetricType::Counter, static_cast<double>(value), labels);
  };
  counter("weir_consumer_committed_events_total", "Events this consumer is owed.", status.committed);
  counter("weir_consumer_delivered_events_total", "Events delivered.", counts.delivered);
  counter("weir_consumer_filtered_events_total", "Events dropped by a transform.", counts.filtered);
  counter("weir_consumer_dead_events_total", "Events in the dead letters.", counts.dead);
  counter("weir_consumer_expired_events_total", "Events past their retention.", counts.expired);
  counter("weir_consumer_discarded_events_total", "Events given up by an operator.", counts.discarded);
  counter("weir_consumer_lost_events_total", "Events a repair gave up.", counts.lost);
  gauge("weir_consumer_pending_events", "Events not settled yet.", status.pending);
  auto imbalance = static_cast<double>(status.committed) - static_cast<double>(counts.sum() + status.pending);
  gauge("weir_ledger_imbalance_events", "Must be 0: committed less everything it became.", imbalance);
  gauge("weir_consumer_in_flight_batches", "Batches the sink is working on.", status.in_flight);
  gauge("weir_consumer_parked_devices", "Devices whose events wait after a refusal.", status.parked_devices);
  gauge("weir_consumer_breaker_open", "1 while the sink is left alone after failures.",
        status.breaker == delivery::Breaker::State::kClosed ? 0 : 1);
}

void add_instance(const runtime::InstanceStatus& instance, Page* page) {
  page->add("weir_instance_up", "1 while the instance runs.", MetricType::Gauge,
            instance.state == runtime::InstanceState::kRunning ? 1 : 0,
            {{"instance", instance.name}, {"plugin", instance.plugin}});
  page->add("weir_instance_call_overruns_total", "Calls of the plugin that took far longer than they may.",
            MetricType::Counter, static_cast<double>(instance.overruns), {{"instance", instance.name}});
  if (instance.door) {
    const ingress::DoorCounts& door = *instance.door;
    Labels labels{{"source", instance.name}};
    auto counter = [&](const char* name, const char* help, uint64_t value) {
      page->add(name, help, MetricType::Counter, static_cast<double>(value), labels);
    };
    counter("weir_source_admitted_events_total", "Events taken at the door.", door.admitted);
    counter("weir_source_committed_events_total", "Events made durable.", door.committed);
    counter("weir_source_duplicate_events_total", "Events known by their dedupe key.", door.duplicates);
    counter("weir_source_refused_events_total", "Events given back because the disk failed.", door.refused);
    counter("weir_source_busy_events_total", "Events turned away: no room.", door.busy);
    counter("weir_source_invalid_batches_total", "Batches turned away: not events.", door.invalid);
    page->add("weir_source_in_flight_events", "Events on their way into the journal.", MetricType::Gauge,
              static_cast<double>(door.in_flight), labels);
  }
  for (const auto& [name, value] : instance.metrics) {
    page->add("weir_plugin_" + name, "Of the plugin.", MetricType::Gauge, value, {{"instance", instance.name}});
  }
}

}  // namespace

std::string metrics_text(const runtime::Status& status) {
  Page page;
  page.add("weir_ready", "1 when everything that is wanted runs.", MetricType::Gauge, status.ready ? 1 : 0);
  page.add("weir_uptime_seconds", "Time since the start.", MetricType::Gauge,
           std::chrono::duration<double>(status.uptime).count());
  page.add("process_resident_memory_bytes", "Memory in use.", MetricType::Gauge, resident_bytes());
  page.add("weir_memory_in_flight_bytes", "Memory of events on their way into the journal.", MetricType::Gauge,
           static_cast<double>(status.memory_in_flight_bytes));
  add_journal(status.journal, &page);
  for (const auto& consumer : status.consumers) add_consumer(consumer, &page);
  for (const auto& instance : status.instances) add_instance(instance, &page);
  return page.text();
}

}  // namespace weir::admin

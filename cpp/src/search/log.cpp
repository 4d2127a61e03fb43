#include "search/log.hpp"

#include <ctime>
#include <limits>
#include <utility>

namespace balmer {

namespace {

/// What a loss must fall by to be worth a record.
constexpr double kWorthARecord = 1e-3;

}  // namespace

double cpu_seconds() noexcept { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

SearchLog::SearchLog(int max_complexity)
    : losses_(static_cast<std::size_t>(max_complexity) + 1, std::numeric_limits<double>::infinity()) {}

void SearchLog::remember(int complexity, double loss) {
    const auto c = static_cast<std::size_t>(complexity);
    if (c < losses_.size() && loss < losses_[c]) losses_[c] = loss;
}

void SearchLog::add(LogEntry entry, double at_cpu_seconds) {
    entry.cpu_seconds = at_cpu_seconds - start_;
    entries_.push_back(std::move(entry));
}

void SearchLog::front(const std::string& stage, const WorkDone& done, std::span<const FrontEntry> front) {
    const double now = cpu_seconds();
    for (const FrontEntry& member : front) {
        const auto c = static_cast<std::size_t>(member.complexity);
        // A loss may be negative: the fall is then measured by its size.
        const double before = c < losses_.size() ? losses_[c] : std::numeric_limits<double>::infinity();
        const double worth = kWorthARecord * (before < 0 ? -before : before);
        if (before < std::numeric_limits<double>::infinity() && !(member.loss < before - worth)) continue;
        add({stage, done.work, done.evaluations, 0, member.complexity, member.loss, member.expression}, now);
        remember(member.complexity, member.loss);
    }
}

void SearchLog::save(StateWriter& out, const OperatorSet& operators) const {
    out.line("log").number(entries_.size());
    for (const LogEntry& entry : entries_) {
        Candidate candidate;
        candidate.complexity = entry.complexity;
        candidate.loss = entry.loss;
        candidate.cost = 0;
        if (!entry.expression.nodes.empty()) candidate.roles = {entry.expression};
        out.line("record").text(entry.stage).real(entry.work).real(entry.evaluations).candidate(candidate, operators);
    }
    out.line("recorded").number(losses_.size());
    for (const double loss : losses_) out.real(loss);
}

void SearchLog::load(StateReader& in, const OperatorSet& operators, std::size_t n_features) {
    constexpr std::size_t kMany = 1'000'000'000;
    in.line("log");
    std::vector<LogEntry> entries(in.count(kMany));
    for (LogEntry& entry : entries) {
        in.line("record");
        entry.stage = in.text();
        entry.work = in.real();
        entry.evaluations = in.real();
        entry.cpu_seconds = std::numeric_limits<double>::quiet_NaN();
        Candidate candidate = in.candidate(operators, n_features, 0, 1);
        entry.complexity = candidate.complexity;
        entry.loss = candidate.loss;
        if (!candidate.roles.empty()) entry.expression = std::move(candidate.roles[0]);
    }
    in.line("recorded");
    std::vector<double> losses(in.count(losses_.size()));
    for (double& loss : losses) loss = in.real();
    losses.resize(losses_.size(), std::numeric_limits<double>::infinity());
    entries_ = std::move(entries);
    losses_ = std::move(losses);
}

}  // namespace balmer

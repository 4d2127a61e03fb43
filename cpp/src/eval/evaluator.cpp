#include "balmer/eval/evaluator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "core/parallel.hpp"
#include "eval/known_columns.hpp"
#include "eval/padded_columns.hpp"
#include "eval/program.hpp"
#include "eval/row_sum.hpp"

namespace balmer {
namespace {

using eval::Derivatives;
using eval::FlushSubnormals;
using eval::has_extended_form;
using eval::PaddedColumns;
using eval::Program;
using eval::Range;

/// Rows of a bounded loss before the first look at the bound: most candidates are lost after few rows.
constexpr std::size_t kFirstBlock = 64;

/// Above this many rows a batch of expressions is evaluated tile by tile, so that the columns stay in the cache.
constexpr std::size_t kTileRows = 8192;
constexpr std::size_t kTilePrograms = 64;

/// Views up to this size are copied for a batch: vectors of an array that starts anywhere lie across cache lines, and where
/// the rows are no whole vectors each formula would run once more for its last ones.
constexpr std::size_t kCopiedBytes = std::size_t{1} << 20;

/// Outputs of a batch from this size on are written past the caches: they would not stay there, and a store through the
/// cache reads each line before it writes it.
constexpr std::size_t kStreamedBytes = std::size_t{16} << 20;
enum class Output : std::uint8_t { cached, streamed };

/// Expressions are small and lie anywhere in memory: fetches number `next`, and the header of the one after it, while
/// another is evaluated.
void prefetch(std::span<const Expression* const> expressions, std::size_t next) {
    constexpr std::size_t kNodesOfLine = kAlignment / sizeof(Node);
    if (next + 1 < expressions.size()) {
        __builtin_prefetch(expressions[next + 1]);
    }
    if (next < expressions.size()) {
        const Expression& expression = *expressions[next];
        for (std::size_t i = 0; i < expression.nodes.size(); i += kNodesOfLine) {
            __builtin_prefetch(expression.nodes.data() + i);
        }
        __builtin_prefetch(expression.constants.data());
    }
}

template <class T>
void check_features(const Expression& expression, const Dataset<T>& data) {
    if (const std::size_t needed = expression.n_features(); needed > data.n_features()) {
        throw std::invalid_argument("the expression uses feature " + std::to_string(needed - 1) +
                                    " (counted from 0), but the data have " + std::to_string(data.n_features()) +
                                    " features");
    }
}

/// Runs rows [row, row + n), n a multiple of kLanes, and puts right what left the range; returns the block of values.
template <class T>
const T* run_block(Program<T>& program, std::size_t row, std::size_t n) {
    T* const values = program.run(row, n);
    if (program.is_watched()) {
        program.rescue(row, n, values);
    }
    return values;
}

template <class T>
void write(T* out, const T* values, std::size_t n, Output output) {
    const eval::Kernels<T>& kernels = eval::kernels_of<T>(eval::kernels());
    if (output == Output::streamed) {
        return kernels.stream(out, values, n);
    }
    const std::size_t whole = n - n % kLanes;
    kernels.copy(out, values, nullptr, nullptr, whole);
    std::copy(values + whole, values + n, out + whole);
}

/// Fetches memory that is written at the end of some work, so that it comes meanwhile.
template <class T>
void prefetch_for_writing(T* out, std::size_t n) {
    constexpr std::size_t kLine = kAlignment / sizeof(T);
    for (std::size_t i = 0; i < n; i += kLine) {
        __builtin_prefetch(out + i, 1);
    }
}

/// Values of `rows` rows from `first` on, of which `readable` can be read.
template <class T>
void run_rows(Program<T>& program, std::size_t rows, std::size_t readable, T* out, Output output = Output::cached,
              std::size_t first = 0) {
    for (std::size_t r = 0; r < rows; r += program.block_rows()) {
        const std::size_t n = std::min(program.block_rows(), rows - r), rest = n % kLanes, at = first + r;
        if (output == Output::cached) {
            prefetch_for_writing(out + r, n);
        }
        const bool direct = output == Output::cached && !program.is_watched();
        if (direct && rest == 0) {
            program.run_into(at, n, out + r);
        } else if (direct && program.can_split() && r + padded(n) <= readable) {
            program.run_into_any(at, n, out + r);
        } else if (r + padded(n) <= readable) {
            write(out + r, run_block(program, at, padded(n)), n, output);
        } else {  // a view ends here: its last vector overlaps the one before
            if (n > rest) {
                write(out + r, run_block(program, at, n - rest), n - rest, output);
            }
            write(out + r + n - rest, run_block(program, at + n - kLanes, kLanes) + kLanes - rest, rest, output);
        }
    }
}

/// Rows of whole vectors, or all where the columns are padded.
template <class T>
std::size_t direct_rows(const Dataset<T>& data) {
    return data.is_padded() ? data.n_rows() : data.n_rows() / kLanes * kLanes;
}

template <class T>
std::size_t readable_rows(const Dataset<T>& data) {
    return data.is_padded() ? padded(data.n_rows()) : data.n_rows();
}

/// A view of less than a vector can only be read from a copy.
template <class T>
bool is_short_view(const Dataset<T>& data) {
    return !data.is_padded() && data.n_rows() < kLanes;
}

/// Whether a batch of `expressions` reads its rows, `tile` of them at once, from a copy.
template <class T>
bool is_worth_copying(const Dataset<T>& data, std::size_t tile, std::size_t expressions) {
    return !data.is_padded() && expressions >= data.n_features() &&
           data.n_features() * tile * sizeof(T) <= kCopiedBytes;
}

/// What one thread of a batch needs.
template <class T>
struct BatchScratch {
    std::vector<Program<T>> programs;
    PaddedColumns<T> copy;
};

template <class T>
void evaluate_with_derivatives(const Expression& expression, const Evaluator<T>& evaluator, Derivatives wanted,
                               std::size_t count, std::span<T> out, std::span<T> derivatives, Program<T>& program) {
    const Dataset<T>& data = evaluator.data();
    check_features(expression, data);
    const std::size_t rows = data.n_rows();
    if (out.size() != rows || derivatives.size() != rows * count) {
        throw std::invalid_argument("outputs must hold " + std::to_string(rows) + " values and " +
                                    std::to_string(rows * count) + " derivatives");
    }
    const FlushSubnormals scope(eval::kernels());
    const auto copy_block = [&](std::size_t at, std::size_t place, std::size_t n, std::size_t valid) {
        std::copy_n(program.run(at, n), valid, out.data() + place);
        program.reverse(at, n);
        for (std::size_t k = 0; k < count; ++k) {
            std::copy_n(program.derivatives()[k], valid, derivatives.data() + k * rows + place);
        }
    };
    const Range range =
        has_extended_form(expression, evaluator.operators(), data.is_extreme()) ? Range::extended : Range::plain;
    program.compile(expression, evaluator.operators(), data.columns(), rows, wanted, range);
    const std::size_t direct = direct_rows(data);
    for (std::size_t r = 0; r < direct; r += program.block_rows()) {
        const std::size_t n = std::min(program.block_rows(), direct - r);
        copy_block(r, r, padded(n), n);
    }
    if (direct < rows) {
        const PaddedColumns<T> tail(data, direct);
        program.compile(expression, evaluator.operators(), tail.columns(), rows - direct, wanted, range);
        copy_block(0, direct, kLanes, rows - direct);
    }
}

}  // namespace

template <class T>
Workspace<T>::Workspace() : program_(std::make_unique<Program<T>>()) {}
template <class T>
Workspace<T>::~Workspace() = default;
template <class T>
Workspace<T>::Workspace(Workspace&&) noexcept = default;
template <class T>
Workspace<T>& Workspace<T>::operator=(Workspace&&) noexcept = default;

template <class T>
void Evaluator<T>::evaluate(const Expression& expression, std::span<T> out, Workspace<T>& workspace) const {
    if (out.size() != data_->n_rows()) {
        throw std::invalid_argument("the output has " + std::to_string(out.size()) + " elements, the data have " +
                                    std::to_string(data_->n_rows()) + " rows");
    }
    const FlushSubnormals scope(eval::kernels());
    Program<T>& program = workspace.program();
    const std::size_t rows = data_->n_rows();
    if (is_short_view(*data_)) {
        const PaddedColumns<T> copy(*data_, 0);
        program.compile_values(expression, *operators_, copy.columns(), rows, data_->is_extreme());
        return run_rows(program, rows, padded(rows), out.data());
    }
    program.compile_values(expression, *operators_, data_->columns(), rows, data_->is_extreme());
    run_rows(program, rows, readable_rows(*data_), out.data());
}

template <class T>
double Evaluator<T>::mean_squared_error(const Expression& expression, std::size_t rows, Workspace<T>& workspace,
                                        double bound) const {
    return eval::mean_squared_error<T>(*this, expression, rows, workspace, bound, nullptr);
}

template <class T>
double eval::mean_squared_error(const Evaluator<T>& evaluator, const Expression& expression, std::size_t rows,
                                Workspace<T>& workspace, double bound, const KnownColumns<T>* known) {
    const Dataset<T>& data = evaluator.data();
    const eval::KernelTable& table = eval::kernels();
    const eval::Kernels<T>& kernels = eval::kernels_of<T>(table);
    const FlushSubnormals scope(table);
    Program<T>& program = workspace.program();
    program.compile_values(expression, evaluator.operators(), data.columns(), rows, data.is_extreme(), known);
    const double weight = data.weight_sum(rows);
    const double limit = std::min(bound * weight, std::numeric_limits<double>::max());
    alignas(kAlignment) std::array<double, eval::kSumLanes> lanes{};
    double sum = 0;
    for (std::size_t r = 0; r < rows && sum <= limit;) {
        const std::size_t block = r == 0 ? std::min(kFirstBlock, program.block_rows()) : program.block_rows();
        const std::size_t n = std::min(block, rows - r);
        kernels.squared_error(run_block(program, r, padded(n)), data.target() + r,
                              data.weights() != nullptr ? data.weights() + r : nullptr, n, lanes.data());
        r += n;
        sum = eval::sum_lanes(lanes.data());
    }
    return sum <= limit ? sum / weight : std::numeric_limits<double>::infinity();
}

template <class T>
double Evaluator<T>::mean_loss(const Expression& expression, const Expression& row_loss, std::size_t rows,
                               Workspace<T>& workspace, double bound) const {
    check_features(expression, *data_);
    if (data_->target() == nullptr) {
        throw std::invalid_argument("the data have no target to hold the expression against");
    }
    const FlushSubnormals scope(eval::kernels());
    Program<T>& program = workspace.program();
    const double weight = data_->weight_sum(rows);
    const double limit = std::min(bound * weight, std::numeric_limits<double>::max());
    const auto sum_of_losses = [&](Range range, bool& left) {
        program.compile(expression, *operators_, data_->columns(), rows, Derivatives::none, range, eval::kAllConstants,
                        &row_loss, data_->target(), data_->weights());
        alignas(kAlignment) std::array<double, eval::kSumLanes> lanes{};
        double sum = 0;
        eval::RowSet rescuable;
        for (std::size_t r = 0; r < rows && sum <= limit;) {
            const std::size_t block = r == 0 ? std::min(kFirstBlock, program.block_rows()) : program.block_rows();
            const std::size_t n = std::min(block, rows - r);
            const T* const losses = program.run(r, padded(n));
            const T* const predictions = program.prediction();
            if (program.is_watched() && program.find_rescuable(padded(n), rescuable)) {
                left = true;
                break;
            }
            // A loss may be finite where the prediction is not: 0 * prediction is NaN there.
            eval::add_rows(n, lanes.data(), [&](std::size_t i) {
                return static_cast<double>(losses[i]) + 0 * static_cast<double>(predictions[i]);
            });
            r += n;
            sum = eval::sum_lanes(lanes.data());
        }
        return sum;
    };
    bool left = false;  // a row whose prediction, and so its loss, is only right in the extended range
    double sum = sum_of_losses(data_->is_extreme() ? Range::watched_extreme : Range::watched, left);
    if (left) {
        sum = sum_of_losses(Range::extended, left);
    }
    return std::isfinite(sum) && sum <= limit ? sum / weight : std::numeric_limits<double>::infinity();
}

template <class T>
void Evaluator<T>::evaluate_with_gradient(const Expression& expression, std::span<T> out, std::span<T> gradient,
                                          Workspace<T>& workspace) const {
    evaluate_with_derivatives(expression, *this, Derivatives::features, data_->n_features(), out, gradient,
                              workspace.program());
}

template <class T>
void Evaluator<T>::evaluate_with_jacobian(const Expression& expression, std::span<T> out, std::span<T> jacobian,
                                          Workspace<T>& workspace) const {
    evaluate_with_derivatives(expression, *this, Derivatives::constants, expression.constants.size(), out, jacobian,
                              workspace.program());
}

template <class T>
void evaluate_all(std::span<const Expression* const> expressions, std::span<const OperatorSet* const> operators,
                  const Dataset<T>& data, std::span<T> out, int n_threads) {
    const std::size_t rows = data.n_rows();
    if (out.size() != rows * expressions.size() || operators.size() != expressions.size()) {
        throw std::invalid_argument("the output has " + std::to_string(out.size()) + " elements for " +
                                    std::to_string(expressions.size()) + " expressions over " + std::to_string(rows) +
                                    " rows");
    }
    const bool tiled = rows > 2 * kTileRows;
    const std::size_t tile = tiled ? kTileRows : rows;
    // About 50 microseconds of work a group without tiles, so that threads do not wait for one another.
    const std::size_t group = tiled ? kTilePrograms : std::clamp<std::size_t>(65536 / (rows + 64), 1, 64);
    const std::size_t groups = (expressions.size() + group - 1) / group;
    const eval::KernelTable& table = eval::kernels();
    const Output output = out.size_bytes() < kStreamedBytes ? Output::cached : Output::streamed;
    const bool copied = is_short_view(data) || is_worth_copying(data, tile, expressions.size());
    const int threads = std::max(1, n_threads);
    std::vector<BatchScratch<T>> scratch(static_cast<std::size_t>(threads));

    const auto evaluate_group = [&](std::ptrdiff_t g, int thread) {
        const FlushSubnormals scope(table);
        BatchScratch<T>& own = scratch[static_cast<std::size_t>(thread)];
        if (own.programs.empty()) {
            own.programs.resize(tiled ? std::min(group, expressions.size()) : 1);
            own.copy = copied ? PaddedColumns<T>(data.n_features(), tile) : PaddedColumns<T>();
        }
        const std::size_t first = static_cast<std::size_t>(g) * group;
        const std::size_t last = std::min(first + group, expressions.size());
        const auto compile = [&](std::size_t e, Program<T>& program) {
            prefetch(expressions, e + 1);
            program.compile_values(*expressions[e], *operators[e], copied ? own.copy.columns() : data.columns(), rows,
                                   data.is_extreme());
        };
        const auto run_tile = [&](std::size_t e, Program<T>& program, std::size_t r) {
            const std::size_t n = std::min(tile, rows - r);
            const std::size_t at = copied ? 0 : r, readable = copied ? padded(n) : readable_rows(data) - r;
            run_rows(program, n, readable, out.data() + e * rows + r, output, at);
        };
        for (std::size_t e = first; tiled && e < last; ++e) {
            compile(e, own.programs[e - first]);
        }
        for (std::size_t r = 0; r < rows; r += tile) {
            if (copied) {
                own.copy.copy(data, r, std::min(r + tile, rows));
            }
            for (std::size_t e = first; e < last; ++e) {
                Program<T>& program = own.programs[tiled ? e - first : 0];
                if (!tiled) {
                    compile(e, program);
                }
                run_tile(e, program, r);
            }
        }
        table.fence();
    };
    parallel_for(static_cast<std::ptrdiff_t>(groups), threads, evaluate_group);
}

template class Workspace<double>;
template class Workspace<float>;
template class Evaluator<double>;
template class Evaluator<float>;
template double eval::mean_squared_error<double>(const Evaluator<double>&, const Expression&, std::size_t,
                                                 Workspace<double>&, double, const KnownColumns<double>*);
template double eval::mean_squared_error<float>(const Evaluator<float>&, const Expression&, std::size_t,
                                                Workspace<float>&, double, const KnownColumns<float>*);
template void evaluate_all<double>(std::span<const Expression* const>, std::span<const OperatorSet* const>,
                                   const Dataset<double>&, std::span<double>, int);
template void evaluate_all<float>(std::span<const Expression* const>, std::span<const OperatorSet* const>,
                                  const Dataset<float>&, std::span<float>, int);

}  // namespace balmer

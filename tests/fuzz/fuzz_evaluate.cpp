// A formula over rows of any doubles. The input is a text, a zero byte, then the bits of the rows.
#include <bit>
#include <cstring>
#include <string_view>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/fit/fit.hpp"
#include "check.hpp"

namespace {

using namespace balmer;

constexpr std::size_t kFeatures = 3;

template <class T>
void evaluate_all_ways(const Expression& e, const std::vector<double>& numbers) {
    const std::size_t rows = numbers.size() / kFeatures;
    const Dataset<T> data(MatrixView<double>{numbers.data(), rows, kFeatures, kFeatures, 1});
    const Evaluator<T> evaluator(data);
    Workspace<T> workspace;
    std::vector<T> alone(rows), batched(2 * rows), gradient(rows * kFeatures), jacobian(rows * e.constants.size());
    evaluator.evaluate(e, alone, workspace);
    const Expression* const formulas[] = {&e, &e};
    const OperatorSet* const operators[] = {&evaluator.operators(), &evaluator.operators()};
    evaluate_all<T>(formulas, operators, data, batched, 1);
    for (std::size_t i = 0; i < rows; ++i) {
        const bool same = std::memcmp(&alone[i], &batched[rows + i], sizeof(T)) == 0;
        test::require(same || (alone[i] != alone[i] && batched[rows + i] != batched[rows + i]),
                      "alone or in a batch: the same bits");
    }
    evaluator.evaluate_with_gradient(e, alone, gradient, workspace);
    evaluator.evaluate_with_jacobian(e, alone, jacobian, workspace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = test::text_of(data, size);
    const std::size_t end = std::min(input.find('\0'), size);
    Expression e;
    try {
        e = parse(input.substr(0, end));
    } catch (const ParseError&) {
        return -1;
    }
    if (e.n_features() > kFeatures) return -1;
    std::vector<double> numbers{0.5, 1, -2, 3, 1e-300, 1e300};
    for (std::size_t at = end + 1; at + sizeof(double) <= size && numbers.size() < 3000; at += sizeof(double)) {
        double value = 0;
        std::memcpy(&value, data + at, sizeof value);
        numbers.push_back(value);
    }
    evaluate_all_ways<double>(e, numbers);
    evaluate_all_ways<float>(e, numbers);

    const std::size_t rows = numbers.size() / kFeatures;
    std::vector<double> target(rows);
    for (std::size_t i = 0; i < rows; ++i) target[i] = static_cast<double>(i % 7) - 2;
    const Dataset<double> rows_with_target(MatrixView<double>{numbers.data(), rows, kFeatures, kFeatures, 1}, target);
    const Evaluator<double> evaluator(rows_with_target);
    FitWorkspace<double> workspace;
    FitOptions options;
    options.max_iterations = 4;
    options.restarts = 1;
    const double before = evaluator.mean_squared_error(e, rows, workspace.evaluation);
    const FitResult fit = fit_constants(e, evaluator, options, workspace);
    test::require(
        !(fit.loss > before) || fit.status == FitStatus::nothing_to_fit || fit.status == FitStatus::not_finite,
        "a fit never ends with a larger loss");
    return 0;
}

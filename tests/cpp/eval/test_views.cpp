// A view is read in place and no further: its values are those of a padded copy.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "random_expression.hpp"

namespace balmer::test {

namespace {

/// Places where the bits differ; one NaN is as good as another, for its sign depends on the order of operands.
template <class T>
std::size_t differences(const T* a, const T* b, std::size_t n) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        count += !(std::isnan(a[i]) && std::isnan(b[i])) && std::memcmp(a + i, b + i, sizeof(T)) != 0;
    }
    return count;
}

}  // namespace

TEST_CASE_TEMPLATE("views of any number of rows have the values of a copy", T, double, float) {
    Rng rng(51, 0);
    RandomExpressionOptions options;
    options.n_features = 2;
    const OperatorSet& operators = OperatorSet::builtin();
    for (std::size_t rows : {1, 2, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 511, 512, 513, 527, 1000, 16390}) {
        std::vector<T> X;
        for (std::size_t i = 0; i < 2 * rows; ++i) X.push_back(static_cast<T>(300 * rng.normal()));
        const MatrixView<T> matrix{X.data(), rows, 2, 1, rows};
        const Dataset<T> view = Dataset<T>::view(matrix), copy(matrix);
        std::vector<Expression> all;
        for (int k = 0; k < (rows > 10000 ? 70 : 200); ++k) all.push_back(random_expression(rng, options));
        std::vector<const Expression*> pointers;
        for (const Expression& e : all) pointers.push_back(&e);
        const std::vector<const OperatorSet*> sets(all.size(), &operators);
        std::vector<T> a(all.size() * rows), b(all.size() * rows), one(rows);
        evaluate_all<T>(pointers, sets, view, a);
        evaluate_all<T>(pointers, sets, copy, b);
        CHECK(differences(a.data(), b.data(), a.size()) == 0);
        // One formula, for which the rows are not worth a copy.
        evaluate_all<T>(std::span(pointers).first(1), std::span(sets).first(1), view, one);
        CHECK(differences(one.data(), b.data(), rows) == 0);
        Workspace<T> workspace;
        std::size_t differ = 0;
        for (std::size_t k = 0; k < all.size(); ++k) {
            Evaluator<T>(view).evaluate(all[k], one, workspace);
            differ += differences(one.data(), b.data() + k * rows, rows);
        }
        INFO("seed 51, ", rows, " rows");
        CHECK(differ == 0);
    }
}

}  // namespace balmer::test

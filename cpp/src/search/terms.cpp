#include "search/terms.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "eval/columns.hpp"
#include "search/compose.hpp"

namespace balmer::search {
namespace {

class TermBuilder {
   public:
    TermBuilder(const View& view, const Vocabulary& vocabulary, std::size_t rows)
        : view_(view), vocabulary_(vocabulary), rows_(rows) {}

    [[nodiscard]] std::vector<std::vector<Term>> all(std::size_t limit) const {
        const std::size_t d = view_.variables.size();
        std::vector<std::vector<Term>> levels;
        std::vector<Term> logs;
        for (std::size_t j = 0; j < d; ++j) {
            std::vector<double> v = values_of(j);
            if (!std::all_of(v.begin(), v.end(), [](double x) { return x > 0; })) continue;
            eval::apply(Op::Log, v.data(), v.data(), v.size());
            add(logs, view_.variables[j].expression, std::move(v), true);
        }
        if (!logs.empty()) levels.push_back(std::move(logs));
        std::vector<Term> monomials, functions, variables;
        const int degree = d == 1 ? 9 : d == 2 ? 6 : d == 3 ? 4 : d <= 6 ? 3 : d <= 12 ? 2 : 1;
        add_monomials(variables, 1);
        add_functions(functions);
        for (const int total : {2, 4, 6, degree}) {
            if (total > degree || (total == 6 && degree == 6)) continue;
            monomials.clear();
            add_monomials(monomials, total);
            levels.push_back(monomials);
        }
        if (d >= 2 && d <= 6) {  // powers without products: few enough for quotients of high degree
            std::vector<Term> powers;
            for (std::size_t j = 0; j < d; ++j) {
                std::vector<double> values(rows_, 1.0);
                for (int p = 1; p <= 4; ++p) {
                    for (std::size_t i = 0; i < rows_; ++i) values[i] *= view_.variables[j].values[i];
                    std::vector<int> exponents(d, 0);
                    exponents[j] = p;
                    add(powers, vocabulary_.power(view_.variables[j].expression, p), values, false, exponents);
                }
            }
            levels.push_back(std::move(powers));
        }
        std::vector<Term> mixed;
        add_monomials(mixed, std::min(degree, 2));
        mixed.insert(mixed.end(), functions.begin(), functions.end());
        levels.push_back(mixed);
        add_products(mixed, functions, variables);
        if (d <= 3) {
            for (std::size_t a = 0; a < functions.size(); ++a) {
                add_products(mixed, {&functions[a], 1}, std::span<const Term>(functions).subspan(a + 1));
            }
        }
        levels.push_back(mixed);
        if (d <= 3) {  // small enough for numerators and denominators
            std::vector<Term> angles, turned;
            add_monomials(angles, 2);
            for (std::size_t j = 0; j < d; ++j) {
                for (const Op op : {Op::Sin, Op::Cos}) {
                    std::vector<double> values = values_of(j);
                    for (double& x : values) x = balmer::apply(op, x);
                    add(turned, vocabulary_.apply(op, view_.variables[j].expression), std::move(values));
                }
            }
            angles.insert(angles.end(), turned.begin(), turned.end());
            add_products(angles, turned, variables);
            if (!turned.empty()) levels.push_back(angles);
        }
        std::erase_if(levels, [&](const std::vector<Term>& l) { return l.size() > limit; });
        return levels;
    }

   private:
    const View& view_;
    const Vocabulary& vocabulary_;
    std::size_t rows_;

    void add(std::vector<Term>& columns, Expression e, std::vector<double> values, bool is_log = false,
             std::vector<int> exponents = {}) const {
        if (e.nodes.empty() || !usable(values)) return;
        const double nodes = vocabulary_.complexity(e);
        columns.push_back({std::move(e), std::move(values), is_log, nodes, std::move(exponents)});
    }

    [[nodiscard]] std::vector<double> values_of(std::size_t j) const {
        const std::vector<double>& x = view_.variables[j].values;
        return {x.begin(), x.begin() + static_cast<std::ptrdiff_t>(rows_)};
    }

    void add_monomials(std::vector<Term>& columns, int degree) const {
        const std::size_t d = view_.variables.size();
        std::vector<int> exponents(d, 0);
        const auto next = [&](int total) {  // the next exponents of this total degree, in lexicographic order
            std::size_t j = 0;
            int carried = 0;
            while (j < d && exponents[j] == 0) ++j;
            if (j + 1 >= d) return false;
            carried = exponents[j] - 1;
            exponents[j] = 0;
            ++exponents[j + 1];
            exponents[0] = carried;
            return total > 0;
        };
        for (int total = 1; total <= degree; ++total) {
            std::fill(exponents.begin(), exponents.end(), 0);
            exponents[0] = total;
            do {
                std::vector<Power> powers;
                std::vector<double> values(rows_, 1.0);
                for (std::size_t j = 0; j < d; ++j) {
                    if (exponents[j] == 0) continue;
                    powers.push_back({view_.variables[j].expression, static_cast<double>(exponents[j])});
                    for (std::size_t i = 0; i < rows_; ++i) {
                        for (int e = 0; e < exponents[j]; ++e) values[i] *= view_.variables[j].values[i];
                    }
                }
                add(columns, power_product(1, powers, vocabulary_), std::move(values), false, exponents);
            } while (next(total));
        }
    }

    void add_functions(std::vector<Term>& columns) const {
        for (std::size_t j = 0; j < view_.variables.size(); ++j) {
            const Expression& x = view_.variables[j].expression;
            const std::vector<double> v = values_of(j);
            const auto mapped = [&](Op op) {
                std::vector<double> out(rows_);
                for (std::size_t i = 0; i < rows_; ++i) out[i] = balmer::apply(op, v[i]);
                return out;
            };
            for (const Op op : {Op::Sin, Op::Cos, Op::Exp}) add(columns, vocabulary_.apply(op, x), mapped(op));
            add(columns, vocabulary_.log(x), mapped(Op::Log));
            add(columns, vocabulary_.power(x, 0.5), mapped(Op::Sqrt));
            add(columns, vocabulary_.reciprocal(x), mapped(Op::Inv));
        }
    }

    /// Columns of `a` times columns of `b`.
    void add_products(std::vector<Term>& columns, std::span<const Term> a, std::span<const Term> b) const {
        for (const Term& p : a) {
            for (const Term& q : b) {
                std::vector<double> values(rows_);
                for (std::size_t i = 0; i < rows_; ++i) values[i] = p.values[i] * q.values[i];
                add(columns, vocabulary_.multiply(p.e, q.e), std::move(values));
            }
        }
    }
};

}  // namespace

bool usable(const std::vector<double>& values) {
    double low = values[0], high = values[0];
    for (const double v : values) {
        if (!std::isfinite(v)) return false;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    return high - low > 1e-9 * std::max(std::abs(low), std::abs(high)) &&
           std::max(std::abs(low), std::abs(high)) < 1e12;
}

std::vector<std::vector<Term>> dictionaries(const View& view, const Vocabulary& vocabulary, std::size_t rows,
                                            std::size_t limit) {
    return TermBuilder(view, vocabulary, rows).all(limit);
}

}  // namespace balmer::search

// Minimum of a sum of convex piecewise linear functions of few unknowns: what linear programming is for L1 and quantile
// regression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace balmer::fit {

/// The sum over rows i of f_i(start_i + a_i x), f_i convex and linear between `n_kinks` places where its slope jumps.
struct PiecewiseLinearSum {
    std::size_t rows = 0, unknowns = 0, n_kinks = 0;
    std::vector<double> a;       ///< a[k * rows + i]: column by column
    std::vector<double> start;   ///< by row
    std::vector<double> kinks;   ///< kinks[i * n_kinks + k], rising with k; infinite ones never met
    std::vector<double> slopes;  ///< slopes[i * (n_kinks + 1) + k]: below kink k; the last one above all
};

/// Descent along edges from vertex to vertex, a vertex being a point where as many rows as there are unknowns lie at a
/// kink. Along an edge it goes on past kinks for as long as the sum falls, as Barrodale and Roberts (1973) do for L1.
/// Kinks are moved by a ten-thousand-millionth or so while it works, so that rows that share a kink cannot make it turn
/// in circles; the vertex that is found is then solved for with the kinks where they are, and stays optimal because
/// that does not depend on them.
class VertexDescent {
   public:
    enum class Outcome : std::uint8_t { optimal, unbounded, budget_spent };

    /// `x` has the start, and receives the point that was found.
    Outcome run(const PiecewiseLinearSum& sum, std::span<double> x, int max_steps);

    /// Steps of the last run.
    [[nodiscard]] int steps() const noexcept { return steps_; }

   private:
    /// A row that is held at a kink; or a direction in which nothing changes, held where it is.
    struct Active {
        std::size_t row, kink;
        double place;  // of z, with the kink where it is
        bool frozen;
        std::vector<double> a;
    };
    struct Break {
        double at, jump;
        std::size_t row, kink;
    };

    void load(const PiecewiseLinearSum& sum, std::span<const double> x);
    [[nodiscard]] std::size_t piece(std::size_t row) const noexcept;
    void compute_gradient();
    void along(std::span<const double> direction);
    bool find_break(double slope, double tolerance, const Active* leaving, bool forward, Break& found);
    void move(std::span<const double> direction, double distance);
    bool complete_vertex();
    bool leave_vertex(Outcome& outcome);
    [[nodiscard]] double tolerance(std::span<const double> direction) const noexcept;
    Active active_at(const Break& b) const;

    const PiecewiseLinearSum* sum_ = nullptr;
    std::vector<double> x_, z_, kinks_, gradient_, magnitude_, change_, direction_, inverse_;
    std::vector<bool> held_;
    double largest_ = 0, negligible_ = 0;  // of all a; of change_: below it is rounding
    std::vector<Active> active_;
    std::vector<Break> breaks_;
    int steps_ = 0;
};

}  // namespace balmer::fit

// Searches one view: rounds of ever larger libraries through the closed-form families.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "search/model.hpp"
#include "search/polisher.hpp"

namespace balmer::search {

/// How a round looks.
struct RoundOptions {
    std::size_t atoms = 800;               ///< atoms that are paired
    std::size_t factors = 200;             ///< formulas that multiply or divide an affine function of an atom
    std::size_t bilinear = 0;              ///< atoms whose products with offsets are tried
    bool weighted = false;                 ///< residuals of T(y) count as those of y: needed under noise, slower
    std::size_t polish = 40;               ///< formulas that are fitted to all rows although they are not exact
    std::size_t transforms = kTransforms;  ///< how many: those that did best in the rounds before
    bool every_triple = false;             ///< sums of three of the simplest atoms, whether or not two of them are good
    double noise = 0;                      ///< estimated standard deviation of the noise, in units of y
    const char* stage = "families";
};

class ViewSolver {
   public:
    /// `screen_rows`: the rows on which families are screened; all of positive weight.
    ViewSolver(const View& view, Polisher& polisher, std::vector<std::uint32_t> screen_rows);
    ~ViewSolver();

    /// One round; what it finds goes to the polisher's archive. Returns true if an exact formula was among it.
    bool round(const RoundOptions& options);
    [[nodiscard]] Library& library() noexcept { return library_; }
    /// The least description length that a model of the rounds so far had on the screen rows; infinite before the first.
    [[nodiscard]] double promise() const noexcept { return *std::min_element(promise_.begin(), promise_.end()); }

   private:
    const View& view_;
    Polisher& polisher_;
    Library library_;
    LinearFit fit_;
    std::array<double, kTransforms> promise_;  // of each transform

    [[nodiscard]] std::vector<TransformedTarget> make_targets(const RoundOptions& options) const;
    void add_models(const ModelContext& context, std::span<const Hit> hits, std::vector<Model>& models);
    void submit(std::vector<Expression> formulas, const char* stage, int iterations);
    bool polish(const ModelContext& context, std::vector<Model> models, const RoundOptions& options);
    [[nodiscard]] std::vector<std::uint32_t> choose_factors(std::size_t limit) const;
    bool scan(std::span<const Transform> transforms, std::span<const TransformedTarget> all, bool logarithms,
              const RoundOptions& options);
};

}  // namespace balmer::search

// Sums over the rows of a block, in double, in 16 lanes whose order of additions is the same for every instruction set.
// Included by isa/*.cpp inside an anonymous namespace, before kernels.inl.

using Double = Vec<double>;
constexpr std::size_t kDoubles = Double::kSize;

Double load_double(const double* p) noexcept { return Double::load(p); }

/// As many floats as a register has doubles.
Double load_double(const float* p) noexcept { return Double::of(load_widened(p)); }

/// The rows of a last, incomplete turn, with zeros after them: a zero adds nothing to a lane.
template <class T>
struct Tail {
    T values[kSumLanes];

    Tail() = default;
    Tail(const T* p, std::size_t count) noexcept {
        for (std::size_t i = 0; i < kSumLanes; ++i) values[i] = i < count ? p[i] : T(0);
    }
};

/// sums[j] += w (y - p)^2 over whole turns; where `keep`, also residual = y - p.
template <bool keep, class T>
void squared_error_turns(const T* p, const T* y, const T* w, std::size_t n, double* residual, Double* sums) noexcept {
    for (std::size_t i = 0; i < n; i += kSumLanes) {
#pragma GCC unroll 16
        for (std::size_t j = 0; j < kSumLanes; j += kDoubles) {
            const Double d = load_double(y + i + j) - load_double(p + i + j);
            if constexpr (keep) d.store(residual + i + j);
            sums[j / kDoubles] = fma(w == nullptr ? d : load_double(w + i + j) * d, d, sums[j / kDoubles]);
        }
    }
}

template <bool keep, class T>
void add_squared_error(const T* p, const T* y, const T* w, std::size_t n, double* residual, double* lanes) noexcept {
    Double sums[kSumLanes / kDoubles];
    for (std::size_t j = 0; j < kSumLanes; j += kDoubles) sums[j / kDoubles] = Double::load(lanes + j);
    const std::size_t whole = n - n % kSumLanes;
    if (w == nullptr) {
        squared_error_turns<keep, T>(p, y, nullptr, whole, residual, sums);
    } else {
        squared_error_turns<keep>(p, y, w, whole, residual, sums);
    }
    if (whole < n) {
        const Tail<T> last_p(p + whole, n - whole), last_y(y + whole, n - whole);
        Tail<T> last_w;
        if (w != nullptr) last_w = Tail<T>(w + whole, n - whole);
        squared_error_turns<keep>(last_p.values, last_y.values, w == nullptr ? nullptr : last_w.values, kSumLanes,
                                  keep ? residual + whole : nullptr, sums);
    }
    for (std::size_t j = 0; j < kSumLanes; j += kDoubles) sums[j / kDoubles].store(lanes + j);
}

template <class T>
void squared_error(const T* p, const T* y, const T* w, std::size_t n, double* lanes) noexcept {
    add_squared_error<false>(p, y, w, n, nullptr, lanes);
}

template <class T>
void residuals(const T* p, const T* y, const T* w, std::size_t n, double* residual, double* lanes) noexcept {
    add_squared_error<true>(p, y, w, n, residual, lanes);
}

/// Columns of a tile of products: as many as leave their sums, and the columns themselves, in registers.
constexpr std::size_t kTile = kDoubles == 8 ? 4 : kDoubles == 4 ? 3 : 2;
constexpr std::size_t kSumRegisters = kDoubles == 8 ? 20 : kDoubles == 4 ? 12 : 6;

/// Which part of the table of products a tile is: below the diagonal, or on it, where only l <= k is summed.
enum class Place : bool { below, diagonal };

/// The columns of one tile, and where the sums of its row k (and of the residual, the row after the last) begin.
template <class T, std::size_t left_count, std::size_t right_count>
struct TileColumns {
    const T* left[left_count];
    const T* right[right_count];
    const double* residual;
    const T* weights;
    double* sums[left_count + 1];
};

/// Adds w left[k] right[l] over whole turns of rows; with `residual` also w r right[l]. Few products are summed in several
/// registers of lanes at once, or they would wait for each other.
template <std::size_t left_count, std::size_t right_count, Place place, bool residual, bool weighted, class T>
void add_products(const TileColumns<T, left_count, right_count>& columns, std::size_t rows) noexcept {
    constexpr std::size_t k_count = left_count + (residual ? 1 : 0);
    constexpr std::size_t kAtOnce = k_count * right_count * 4 <= kSumRegisters && kDoubles <= 4   ? 4
                                    : k_count * right_count * 2 <= kSumRegisters && kDoubles <= 8 ? 2
                                                                                                  : 1;
    // A constant bound with a test inside unrolls; the bound k + 1 does not.
    constexpr auto wanted = [](std::size_t k, std::size_t l) { return place == Place::below || l <= k; };
    for (std::size_t lane = 0; lane < kSumLanes; lane += kAtOnce * kDoubles) {
        Double sums[k_count][right_count][kAtOnce];
#pragma GCC unroll 8
        for (std::size_t k = 0; k < k_count; ++k) {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < right_count; ++l) {
                for (std::size_t j = 0; wanted(k, l) && j < kAtOnce; ++j) {
                    sums[k][l][j] = Double::load(columns.sums[k] + l * kSumLanes + lane + j * kDoubles);
                }
            }
        }
        for (std::size_t turn = lane; turn < rows; turn += kSumLanes) {
            for (std::size_t j = 0; j < kAtOnce; ++j) {
                const std::size_t i = turn + j * kDoubles;
                Double right[right_count];
#pragma GCC unroll 8
                for (std::size_t l = 0; l < right_count; ++l) right[l] = load_double(columns.right[l] + i);
#pragma GCC unroll 8
                for (std::size_t k = 0; k < k_count; ++k) {
                    Double left =
                        k < left_count ? load_double(columns.left[k] + i) : Double::load(columns.residual + i);
                    if constexpr (weighted) left = load_double(columns.weights + i) * left;
#pragma GCC unroll 8
                    for (std::size_t l = 0; l < right_count; ++l) {
                        if (wanted(k, l)) sums[k][l][j] = fma(left, right[l], sums[k][l][j]);
                    }
                }
            }
        }
#pragma GCC unroll 8
        for (std::size_t k = 0; k < k_count; ++k) {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < right_count; ++l) {
                for (std::size_t j = 0; wanted(k, l) && j < kAtOnce; ++j) {
                    sums[k][l][j].store(columns.sums[k] + l * kSumLanes + lane + j * kDoubles);
                }
            }
        }
    }
}

/// Some rows of a fit: the columns of the Jacobian, the residual, and the sums that they go to.
template <class T>
struct FitRows {
    const T* const* J;
    std::size_t n;
    const double* residual;  ///< with zeros after row n up to a whole turn
    const T* weights;        ///< or null
    double* lanes;
};

/// The tile of columns k... with columns l..., over all rows, the last incomplete turn included.
template <std::size_t left_count, std::size_t right_count, Place place, bool residual, class T>
void add_tile(const FitRows<T>& rows, std::size_t k, std::size_t l) noexcept {
    TileColumns<T, left_count, right_count> columns;
    for (std::size_t i = 0; i < left_count; ++i) columns.left[i] = rows.J[k + i];
    for (std::size_t i = 0; i < right_count; ++i) columns.right[i] = rows.J[l + i];
    for (std::size_t i = 0; i <= left_count; ++i)
        columns.sums[i] = rows.lanes + ((k + i) * (k + i + 1) / 2 + l) * kSumLanes;
    columns.residual = rows.residual;
    columns.weights = rows.weights;
    const std::size_t rest = rows.n % kSumLanes, whole = rows.n - rest;
    if (rows.weights == nullptr) {
        add_products<left_count, right_count, place, residual, false>(columns, whole);
    } else {
        add_products<left_count, right_count, place, residual, true>(columns, whole);
    }
    if (rest == 0) return;
    Tail<T> left[left_count], right[right_count];
    for (std::size_t i = 0; i < left_count; ++i) {
        left[i] = Tail<T>(columns.left[i] + whole, rest);
        columns.left[i] = left[i].values;
    }
    for (std::size_t i = 0; i < right_count; ++i) {
        right[i] = Tail<T>(columns.right[i] + whole, rest);
        columns.right[i] = right[i].values;
    }
    columns.residual += whole;
    if (rows.weights == nullptr) {
        add_products<left_count, right_count, place, residual, false>(columns, kSumLanes);
    } else {
        const Tail<T> weights(rows.weights + whole, rest);
        columns.weights = weights.values;
        add_products<left_count, right_count, place, residual, true>(columns, kSumLanes);
    }
}

/// The last `left_count` columns, from number k on, and the residual, with all columns before them and themselves.
template <std::size_t left_count, class T>
void add_last_columns(const FitRows<T>& rows, std::size_t k) noexcept {
    for (std::size_t l = 0; l < k; l += kTile) add_tile<left_count, kTile, Place::below, true>(rows, k, l);
    add_tile<left_count, left_count, Place::diagonal, true>(rows, k, k);
}

template <class T>
void normal_equations(const T* const* J, std::size_t k_count, const double* residual, const T* w, std::size_t n,
                      double* lanes) noexcept {
    const FitRows<T> rows{J, n, residual, w, lanes};
    std::size_t k = 0;
    for (; k + kTile < k_count; k += kTile) {
        for (std::size_t l = 0; l < k; l += kTile) add_tile<kTile, kTile, Place::below, false>(rows, k, l);
        add_tile<kTile, kTile, Place::diagonal, false>(rows, k, k);
    }
    const std::size_t last = k_count - k;
    if constexpr (kTile >= 4) {
        if (last == 4) add_last_columns<4>(rows, k);
    }
    if constexpr (kTile >= 3) {
        if (last == 3) add_last_columns<3>(rows, k);
    }
    if (last == 2) add_last_columns<2>(rows, k);
    if (last == 1) add_last_columns<1>(rows, k);
}

void dot_turns(const double* a, const double* b, std::size_t n, Double* sums) noexcept {
    for (std::size_t i = 0; i < n; i += kSumLanes) {
#pragma GCC unroll 16
        for (std::size_t j = 0; j < kSumLanes; j += kDoubles) {
            sums[j / kDoubles] = sums[j / kDoubles] + Double::load(a + i + j) * Double::load(b + i + j);
        }
    }
}

void dot(const double* a, const double* b, std::size_t n, double* lanes) noexcept {
    Double sums[kSumLanes / kDoubles];
    for (Double& sum : sums) sum = Double(0);
    const std::size_t whole = n - n % kSumLanes;
    dot_turns(a, b, whole, sums);
    if (whole < n) {
        const Tail<double> last_a(a + whole, n - whole), last_b(b + whole, n - whole);
        dot_turns(last_a.values, last_b.values, kSumLanes, sums);
    }
    for (std::size_t j = 0; j < kSumLanes; j += kDoubles) sums[j / kDoubles].store(lanes + j);
}

void subtract_multiple(double* y, double factor, const double* x, std::size_t n) noexcept {
    const Double f = Double::broadcast(factor);
    const std::size_t whole = n - n % kSumLanes;
    for (std::size_t i = 0; i < whole; i += kDoubles) (Double::load(y + i) - f * Double::load(x + i)).store(y + i);
    for (std::size_t i = whole; i < n; ++i) y[i] -= factor * x[i];
}

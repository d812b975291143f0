// The losses. Each takes one row of logits, writes its value and its slopes, and
// returns which arguments break their rules. C is the type to compute in: float or
// double.

#pragma once

#include <algorithm>

#include "numbers.h"

using Index = int64_t;

enum Fault { kNone = 0, kLabels = 1, kFirst = 2, kSecond = 4 };

template <class C>
struct Row {
  Index n;           // how many logits
  const C *z, *y;    // the logits and their labels (predictions and demands)
  const Index *k;    // instead of y: the class, one for the row
  const C *a, *b;    // parameters, one for each logit
  C scale;           // what the slopes are multiplied by
  C *value, *slope;  // to be written: the loss, and its derivatives by the logits
};

// a y softplus(-z) + (1 - y) softplus(z), with softplus(z) = max(z, 0) + log1p(e^-|z|).
template <class C>
int Sigmoid(Row<C> row) {
  int fault = kNone;
#pragma omp simd reduction(| : fault)
  for (Index i = 0; i < row.n; ++i) {
    const C z = row.z[i], y = row.y[i], a = row.a[i], missed = a * y, wrong = 1 - y;
    const C e = Exp(z < 0 ? z : -z), log1p = Log1p(e), inverse = 1 / (1 + e);
    const C yes = z < 0 ? e * inverse : inverse, no = z < 0 ? inverse : e * inverse;
    // What counts 0 costs nothing, not even at a logit of infinity.
    row.value[i] = (missed == 0 ? 0 : missed * (log1p + (z < 0 ? -z : 0))) +
                   (wrong == 0 ? 0 : wrong * (log1p + (z < 0 ? 0 : z)));
    row.slope[i] = row.scale * (wrong * yes - missed * no);
    fault |= (y < 0 || y > 1 ? kLabels : 0) | (a > 0 && a < INFINITY ? 0 : kFirst);
  }
  return fault;
}

// max(a (y - z), b (z - y)); at the kink the slope is 0.
template <class C>
int Newsvendor(Row<C> row) {
  int fault = kNone;
#pragma omp simd reduction(| : fault)
  for (Index i = 0; i < row.n; ++i) {
    const C error = row.y[i] - row.z[i], a = row.a[i], b = row.b[i];
    const C price = error > 0 ? a : error < 0 ? -b : error;
    row.value[i] = price * error;
    row.slope[i] = -row.scale * price;
    fault |=
        (a > 0 && a < INFINITY ? 0 : kFirst) | (b > 0 && b < INFINITY ? 0 : kSecond);
  }
  return fault;
}

// Adds up terms that are not negative: a few hundred as Part, float being faster and
// double more exact, and what they come to in double.
template <class Part, class Term>
double Sum(Index begin, Index end, Term term) {
  double sum = 0;
  for (Index next; begin < end; begin = next) {
    next = std::min(begin + 256, end);
    Part part = 0;
#pragma omp simd reduction(+ : part)
    for (Index i = begin; i < next; ++i) part += term(i);
    sum += part;
  }
  return sum;
}

// The softmax of a row is e_k / (1 + rest), with e_k = exp(z_k - z_top) and 1 at the
// top. Each e_k, lifted, goes where the slope will be.
template <class C>
struct Exponentials {
  Index top = 0;  // the index of a largest logit
  double rest;    // the sum of the others' e_k

  explicit Exponentials(Row<C> row) {
    FindTop(row.z, row.n);
    const C *const z = row.z;
    const C largest = z[top];
    C *const e = row.slope;
    const auto term = [=](Index i) {
      // What rounding takes from the gap is known exactly (Knuth's two-sum).
      const C gap = z[i] - largest, minus_top = gap - z[i];
      const C lost = (z[i] - (gap - minus_top)) - (largest + minus_top);
      return e[i] = LiftedExp(gap, lost);
    };
    rest = Sum<double>(0, top, term) + Sum<double>(top + 1, row.n, term);
    rest /= kLift<C>;
    rest += largest - largest;  // NaN, as it should be, where the largest is no number
    e[top] = kLift<C>;
  }

  void FindTop(const C *z, Index n) {
    C largest = -INFINITY;
    for (Index begin = 0, next; begin < n; begin = next) {
      next = std::min<Index>(begin + 256, n);
      C most = -INFINITY;
#pragma omp simd reduction(max : most)
      for (Index i = begin; i < next; ++i) most = std::max(most, z[i]);
      if (most > largest) largest = most, top = begin;
    }
    while (z[top] < largest) ++top;
  }
};

// log1p(rest) + (z_top - z_k) for the class k.
template <class C>
int SparseSoftmax(Row<C> row) {
  const Index k = *row.k;
  if (k < 0 || k >= row.n) return kLabels;
  const Exponentials<C> softmax(row);
  const double rest = softmax.rest;
  *row.value = std::log1p(rest) + (double{row.z[softmax.top]} - row.z[k]);
  const C factor = row.scale / (1 + rest);
#pragma omp simd
  for (Index i = 0; i < row.n; ++i) row.slope[i] = row.slope[i] / kLift<C> * factor;
  // q_k - 1, without a difference where q_k may be almost 1.
  row.slope[k] =
      k == softmax.top ? -row.scale * (rest / (1 + rest)) : row.slope[k] - row.scale;
  return kNone;
}

// (sum_k y_k) log1p(rest) + sum_k y_k (z_top - z_k).
template <class C>
int Softmax(Row<C> row) {
  const Exponentials<C> softmax(row);
  const Index top = softmax.top;
  const double rest = softmax.rest;
  const C largest = row.z[top];
  const auto label = [=](Index i) { return row.y[i]; };
  const double others = Sum<C>(0, top, label) + Sum<C>(top + 1, row.n, label);
  const double total = row.y[top] + others;
  *row.value = total * std::log1p(rest) + Sum<C>(0, row.n, [=](Index i) {
                 return row.y[i] == 0 ? 0 : row.y[i] * (largest - row.z[i]);
               });
  const C factor = row.scale * total / (1 + rest);
  int fault = kNone;
#pragma omp simd reduction(| : fault)
  for (Index i = 0; i < row.n; ++i) {
    row.slope[i] = row.slope[i] / kLift<C> * factor - row.scale * row.y[i];
    fault |= row.y[i] < 0 || row.y[i] == INFINITY ? kLabels : 0;
  }
  // total q_k - y_k, without a difference where q_k is almost 1.
  if (rest < 1) row.slope[top] = row.scale * (others - total * (rest / (1 + rest)));
  return fault;
}

// What an operation needs to know of its loss.
struct Loss {
  const char *name;
  bool of_classes, indexed;  // one loss for each row of logits; its label is a class
  int (*of_floats)(Row<float>);
  int (*of_doubles)(Row<double>);
  int parameters;
  const char *logits;               // what the caller calls them
  const char *names[3], *rules[3];  // of the labels and of the parameters
  int Compute(Row<float> row) const { return of_floats(row); }
  int Compute(Row<double> row) const { return of_doubles(row); }
};

const Loss kLosses[] = {
    {"Softmax", true, false, Softmax, Softmax, 0, "logits",
     {"labels"}, {"lie in [0, inf)"}},
    {"SparseSoftmax", true, true, SparseSoftmax, SparseSoftmax, 0, "logits",
     {"labels"}, {"lie in [0, the number of classes)"}},
    {"Sigmoid", false, false, Sigmoid, Sigmoid, 1, "logits",
     {"labels", "pos_weight"}, {"lie in [0, 1]", "be positive and finite"}},
    {"Newsvendor", false, false, Newsvendor, Newsvendor, 2, "y_pred",
     {"y_true", "underage_cost", "overage_cost"},
     {"", "be positive and finite", "be positive and finite"}},
};

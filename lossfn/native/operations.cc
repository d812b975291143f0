// The losses as TensorFlow operations on the CPU. Of TensorFlow only the C API is used,
// so that one build serves several releases. Each loss has four operations: its value,
// its gradient, its mean together with the gradient of the mean, and that gradient
// again when it is asked for.

#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <atomic>

#include "losses.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace {

// ---- Memory. The first touch of fresh memory costs page faults, and a large gradient
// thousands of them, so that two large blocks are kept for the next call.

constexpr size_t kLarge = size_t{1} << 22, kHugePage = size_t{1} << 21;

struct Block {
  void *data;
  size_t size;
} spare[2];

pthread_mutex_t spare_mutex = PTHREAD_MUTEX_INITIALIZER;
struct Lock {
  Lock() { pthread_mutex_lock(&spare_mutex); }
  ~Lock() { pthread_mutex_unlock(&spare_mutex); }
};

void *Take(size_t size) {
  const Lock lock;
  for (Block &block : spare)
    if (block.data && block.size == size) {
      void *const data = block.data;
      block.data = nullptr;
      return data;
    }
  void *const data =
      aligned_alloc(kHugePage, (size + kHugePage - 1) / kHugePage * kHugePage);
  if (data) madvise(data, size, MADV_HUGEPAGE);
  return data;
}

void GiveBack(void *data, size_t size, void *) {
  const Lock lock;
  Block &block = spare[0].data ? spare[1] : spare[0];  // the first if it is free
  free(block.data);
  block = {data, size};
}

// ---- Arguments and results.

struct Status {
  TF_Status *const status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  operator TF_Status *() const { return status; }
  bool Ok() const { return TF_GetCode(status) == TF_OK; }
};

template <class... Parts>
bool Fail(TF_OpKernelContext *context, TF_Code code, const char *format,
          Parts... parts) {
  char message[400];
  snprintf(message, sizeof message, format, parts...);
  const Status status;
  TF_SetStatus(status, code, message);
  TF_OpKernelContext_Failure(context, status);
  return false;
}

struct Input {
  TF_Tensor *tensor = nullptr;
  ~Input() {
    if (tensor) TF_DeleteTensor(tensor);
  }
  void Get(TF_OpKernelContext *context, int i) {
    TF_GetInput(context, i, &tensor, Status());
  }
  template <class T>
  T *Data() const {
    return static_cast<T *>(TF_TensorData(tensor));
  }
  int Rank() const { return TF_NumDims(tensor); }
  Index Dim(int i) const { return TF_Dim(tensor, i); }
  Index Size() const { return TF_TensorElementCount(tensor); }
  // Whether the shape is that of another tensor without its last axes.
  bool Fits(const Input &other, int without) const {
    bool same = Rank() == other.Rank() - without;
    for (int i = 0; same && i < Rank(); ++i) same = Dim(i) == other.Dim(i);
    return same;
  }
};

struct Text {  // a shape in words
  char text[160] = "(";
  explicit Text(const Input &input) {
    int end = 1;
    for (int i = 0; i < input.Rank() && end < 120; ++i)
      end += snprintf(text + end, 30, i ? ", %lld" : "%lld", (long long)input.Dim(i));
    snprintf(text + end, 3, input.Rank() == 1 ? ",)" : ")");
  }
};

// Returns where to write an output, or null if there is no memory for it.
void *Output(TF_OpKernelContext *context, int i, const int64_t *dims, int rank,
             TF_Status *status) {
  const TF_DataType dtype = TF_ExpectedOutputDataType(context, i);
  size_t bytes = TF_DataTypeSize(dtype);
  for (int d = 0; d < rank; ++d) bytes *= dims[d];
  void *const block = bytes < kLarge ? nullptr : Take(bytes);
  TF_Tensor *const tensor =
      block ? TF_NewTensor(dtype, dims, rank, block, bytes, GiveBack, nullptr)
            : TF_AllocateOutput(context, i, dtype, dims, rank, bytes, status);
  if (!tensor) return nullptr;
  if (block) TF_SetOutput(context, i, tensor, status);
  void *const data = TF_TensorData(tensor);
  TF_DeleteTensor(tensor);  // TensorFlow holds it now
  return data;
}

// ---- The kernel. It computes in C, float or double; bfloat16 is widened to float. A
// loss of classes is computed example by example, one of single logits by blocks of
// them.

constexpr Index kBlock = 512, kPiece = 32768;  // logits for a row, and for a thread
constexpr int kMostThreads = 256;
std::atomic<int> thread_count{1};

enum Task { kLoss, kGradient, kMean, kMeanGradient };
constexpr const char *kTasks[] = {"", "Gradient", "Mean", "MeanGradient"};

struct Operation {
  const Loss &loss;
  Task task;
};

template <class C>
struct Kernel {
  const Loss &loss;
  const Task task;
  const int arguments = loss.parameters + 2;  // labels, logits, parameters
  Input inputs[6];                            // and what comes from above, and slopes
  Index n = kBlock, rows = 0, losses = 0;     // logits in a row; rows; losses
  C scale = 1;                                // of the slopes
  bool narrow = false;                        // logits and results are bfloat16
  void *values = nullptr, *slopes = nullptr;  // the results, where they are wanted
  double *sums = nullptr;                     // for the mean: one for each row
  C *scratch = nullptr;                       // five rows for each thread
  std::atomic<Index> next_row{0};
  std::atomic<int> next_thread{0}, fault{kNone};

  explicit Kernel(const Operation &operation)
      : loss(operation.loss), task(operation.task) {}
  ~Kernel() { free(sums), free(scratch); }

  static void Compute(void *operation, TF_OpKernelContext *context) {
    Kernel kernel(*static_cast<const Operation *>(operation));
    if (!kernel.Read(context) || kernel.HandOn(context)) return;
    const int workers =
        std::min<Index>(thread_count, kernel.inputs[1].Size() / kPiece + 1);
    void *mean = nullptr;
    if (!kernel.Allocate(context, workers, &mean)) return;
    kernel.RunThreads(workers);
    if (kernel.fault) return kernel.Refuse(context);
    if (!mean) return;
    const C loss = kernel.Total() / std::max<Index>(1, kernel.losses);
    kernel.Write(&loss, 1, mean, 0);
  }

  // Reads the arguments; returns false, and says why, where their shapes do not fit.
  bool Read(TF_OpKernelContext *context) {
    const int count = TF_NumInputs(context);
    for (int i = 0; i < count; ++i) inputs[i].Get(context, i);
    narrow = TF_InputDatatype(context, 1) == TF_BFLOAT16;
    const Input &logits = inputs[1];
    if (loss.of_classes) n = logits.Rank() ? logits.Dim(logits.Rank() - 1) : 0;
    if (n == 0)
      return Fail(context, TF_INVALID_ARGUMENT,
                  "logits must have at least one class, got shape %s",
                  Text(logits).text);
    for (int i = 0; i < count; ++i)
      if (!Fits(i))
        return Fail(context, TF_INVALID_ARGUMENT,
                    "%s must fit %s, got shapes %s and %s",
                    i == 0          ? loss.names[0]
                    : i < arguments ? loss.names[i - 1]
                                    : "upstream",
                    loss.logits, Text(inputs[i]).text, Text(logits).text);
    rows = (logits.Size() + n - 1) / n;
    losses = loss.of_classes ? rows : logits.Size();
    return true;
  }

  bool Fits(int i) const {
    const Input &input = inputs[i], &logits = inputs[1];
    if (i == 0) return input.Fits(logits, loss.indexed);
    if (i == arguments)
      return task == kMeanGradient ? input.Rank() == 0
                                   : input.Fits(logits, loss.of_classes);
    const bool may_be_scalar = i > 1 && i < arguments;
    return (may_be_scalar && input.Rank() == 0) || input.Fits(logits, 0);
  }

  // The gradient of a mean was computed with it. What comes from above is mostly 1, and
  // then that gradient is handed on as it is.
  bool HandOn(TF_OpKernelContext *context) const {
    if (task != kMeanGradient || Upstream(0) != 1) return false;
    TF_SetOutput(context, 0, inputs[arguments + 1].tensor, Status());
    return true;
  }

  // Allocates the results and the scratch; returns false, and says so, if it cannot.
  bool Allocate(TF_OpKernelContext *context, int workers, void **mean) {
    int64_t dims[256];
    const int rank = inputs[1].Rank();
    for (int i = 0; i < rank; ++i) dims[i] = inputs[1].Dim(i);
    const Status status;
    if (task == kLoss)
      values = Output(context, 0, dims, rank - loss.of_classes, status);
    else
      slopes = Output(context, task == kMean, dims, rank, status);
    if (task == kMean && status.Ok()) *mean = Output(context, 0, dims, 0, status);
    if (!status.Ok()) return TF_OpKernelContext_Failure(context, status), false;
    if (task == kMean || task == kMeanGradient) scale /= std::max<Index>(1, losses);
    if (task == kMeanGradient) scale *= Upstream(0);
    scratch = static_cast<C *>(malloc(5 * n * workers * sizeof(C)));
    if (task == kMean)
      sums = static_cast<double *>(malloc((rows + 1) * sizeof(double)));
    if (!scratch || (task == kMean && !sums))
      return Fail(context, TF_RESOURCE_EXHAUSTED, "no memory for %d threads", workers);
    return true;
  }

  // TensorFlow's own threads are not in its C API: every large call starts some.
  void RunThreads(int workers) {
    pthread_t others[kMostThreads];
    int started = 0;
    for (int i = 1; i < workers; ++i)  // where no thread is to be had, do with fewer
      started += pthread_create(&others[started], nullptr, Work, this) == 0;
    Work(this);
    while (started) pthread_join(others[--started], nullptr);
  }

  static void *Work(void *self) {
    fenv_t before;  // TensorFlow flushes the smallest numbers to 0: not in here
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    static_cast<Kernel *>(self)->RunRows();
    fesetenv(&before);
    return nullptr;
  }

  // Takes the next rows as long as there are any, so that no thread waits for another.
  void RunRows() {
    C *const own = scratch + 5 * n * next_thread++;
    for (int i = 2; i < arguments; ++i)
      if (inputs[i].Rank() == 0) std::fill_n(own + i * n, n, *inputs[i].Data<C>());
    const Index piece = std::max<Index>(1, kPiece / n);
    for (Index begin; (begin = next_row.fetch_add(piece)) < rows;)
      for (Index r = begin; r < std::min(begin + piece, rows); ++r) RunRow(r, own);
  }

  void RunRow(Index r, C *own) {
    const Index first = r * n;
    const auto parameter = [&](int i) -> const C * {
      return inputs[i].Rank() == 0 ? own + i * n : inputs[i].Data<C>() + first;
    };
    Row<C> row{};
    row.n = std::min(n, inputs[1].Size() - first);
    row.z = Widen(1, first, row.n, own + 4 * n);
    if (loss.indexed)
      row.k = inputs[0].Data<Index>() + r;
    else
      row.y = inputs[0].Data<C>() + first;
    if (arguments > 2) row.a = parameter(2);
    if (arguments > 3) row.b = parameter(3);
    row.scale = task == kGradient && loss.of_classes ? Upstream(r) : scale;
    row.value = own;
    row.slope = slopes && !narrow ? static_cast<C *>(slopes) + first : own + n;
    if (const int bad = loss.Compute(row)) fault |= bad;
    Store(row, r, first);
  }

  void Store(const Row<C> &row, Index r, Index first) {
    const Index count = loss.of_classes ? 1 : row.n;
    if (values) Write(row.value, count, values, loss.of_classes ? r : first);
    if (sums) sums[r] = Sum<C>(0, count, [=](Index i) { return row.value[i]; });
    if (!slopes) return;
    if (task == kGradient && !loss.of_classes) {
      const C *const upstream = Widen(arguments, first, row.n, row.value);
      for (Index i = 0; i < row.n; ++i) row.slope[i] *= upstream[i];
    }
    if (narrow) Write(row.slope, row.n, slopes, first);
  }

  // Returns some of an input in C; what is narrow is copied to where it has room.
  const C *Widen(int i, Index first, Index count, C *room) const {
    if (!narrow) return inputs[i].Data<C>() + first;
    std::copy_n(inputs[i].Data<Bfloat16>() + first, count, room);
    return room;
  }

  C Upstream(Index i) const {  // what comes from above
    C room;
    return *Widen(arguments, i, 1, &room);
  }

  void Write(const C *from, Index count, void *to, Index first) const {
    if (narrow)
      std::copy_n(from, count, static_cast<Bfloat16 *>(to) + first);
    else
      std::copy_n(from, count, static_cast<C *>(to) + first);
  }

  double Total() const {  // in the order of the rows, whichever thread was faster
    double total = 0;
    for (Index r = 0; r < rows; ++r) total += sums[r];
    return total;
  }

  void Refuse(TF_OpKernelContext *context) const {
    int i = 0;
    while (!(fault >> i & 1)) ++i;
    const Input &input = inputs[i ? i + 1 : 0];
    double low, high;
    if (loss.indexed)
      Range(input.Data<Index>(), input.Size(), &low, &high);
    else
      Range(input.Data<C>(), input.Size(), &low, &high);
    Fail(context, TF_INVALID_ARGUMENT, "%s must %s, got values from %.9g to %.9g",
         loss.names[i], loss.rules[i], low, high);
  }

  template <class Number>
  static void Range(const Number *x, Index count, double *low, double *high) {
    *low = *std::min_element(x, x + count), *high = *std::max_element(x, x + count);
  }
};

// ---- Registration, as the library is loaded.

template <bool drop_classes, bool mean>
void InferShapes(TF_ShapeInferenceContext *context, TF_Status *status) {
  const auto ok = [status] { return TF_GetCode(status) == TF_OK; };
  TF_ShapeHandle *const shape = TF_NewShapeHandle();
  TF_ShapeHandle *const scalar = TF_ShapeInferenceContextScalar(context);
  TF_ShapeInferenceContextGetInput(context, 1, shape, status);
  if (drop_classes && ok())
    TF_ShapeInferenceContextWithRankAtLeast(context, shape, 1, shape, status);
  if (drop_classes && ok())
    TF_ShapeInferenceContextSubshape(context, shape, 0, -1, shape, status);
  if (mean && ok()) TF_ShapeInferenceContextSetOutput(context, 0, scalar, status);
  if (ok()) TF_ShapeInferenceContextSetOutput(context, mean, shape, status);
  TF_DeleteShapeHandle(shape);
  TF_DeleteShapeHandle(scalar);
}

using Create = void *(*)(TF_OpKernelConstruction *);  // makes what Compute is given

template <class C>
void RegisterKernel(const char *name, const Loss &loss, Create create,
                    TF_DataType logits, TF_DataType computed) {
  auto *const kernel =
      TF_NewKernelBuilder(name, "CPU", create, Kernel<C>::Compute, nullptr);
  const Status status;
  TF_KernelBuilder_TypeConstraint(kernel, "T", logits, status);
  if (!loss.indexed) TF_KernelBuilder_TypeConstraint(kernel, "C", computed, status);
  TF_RegisterKernelBuilder(name, kernel, status);
}

void Register(const Loss &loss, Task task, Create create) {
  const bool of_gradient = task == kGradient || task == kMeanGradient;
  char text[80], name[80];
  snprintf(name, sizeof name, "Lossfn%s%s", loss.name, kTasks[task]);
  auto *const op = TF_NewOpDefinitionBuilder(name);
  const auto input = [&](const char *name, const char *type) {
    snprintf(text, sizeof text, "%s: %s", name, type);
    TF_OpDefinitionBuilderAddInput(op, text);
  };
  TF_OpDefinitionBuilderAddAttr(op, "T: {float, double, bfloat16}");
  if (!loss.indexed) TF_OpDefinitionBuilderAddAttr(op, "C: {float, double}");
  input(loss.names[0], loss.indexed ? "int64" : "C");
  input("logits", "T");
  for (int p = 1; p <= loss.parameters; ++p) input(loss.names[p], "C");
  if (of_gradient) input("upstream", "T");
  if (task == kMeanGradient) input("slopes_of_mean", "T");
  if (!of_gradient) TF_OpDefinitionBuilderAddOutput(op, "loss: T");
  if (task != kLoss) TF_OpDefinitionBuilderAddOutput(op, "slopes: T");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(
      op, task == kMean                      ? InferShapes<false, true>
          : task == kLoss && loss.of_classes ? InferShapes<true, false>
                                             : InferShapes<false, false>);
  TF_RegisterOpDefinition(op, Status());
  RegisterKernel<float>(name, loss, create, TF_FLOAT, TF_FLOAT);
  RegisterKernel<double>(name, loss, create, TF_DOUBLE, TF_DOUBLE);
  RegisterKernel<float>(name, loss, create, TF_BFLOAT16, TF_FLOAT);
}

template <int loss, Task task>
void RegisterTask() {
  static const Operation operation{kLosses[loss], task};
  Register(kLosses[loss], task, [](TF_OpKernelConstruction *) -> void * {
    return const_cast<Operation *>(&operation);
  });
}

template <int loss>
void RegisterLoss() {
  RegisterTask<loss, kLoss>(), RegisterTask<loss, kGradient>();
  RegisterTask<loss, kMean>(), RegisterTask<loss, kMeanGradient>();
}

__attribute__((constructor)) void OnLoad() {
  RegisterLoss<0>(), RegisterLoss<1>(), RegisterLoss<2>(), RegisterLoss<3>();
}

}  // namespace

extern "C" void lossfn_use_threads(int count) {
  thread_count = std::min(std::max(count, 1), kMostThreads);
}

extern "C" void lossfn_release_memory() {
  const Lock lock;
  for (Block &block : spare) free(block.data), block.data = nullptr;
}

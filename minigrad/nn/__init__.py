"""Neural networks: modules, layers, losses, and the initial values of parameters.

Reading order: `parameter`, `module`, `layers`, `functional`, `container`, `init`.
"""

# Names in paragraphs, not one a line:
# isort: off
# fmt: off
from typing import TYPE_CHECKING

from minigrad.lazy import on_first_use as _on_first_use
from minigrad.nn import functional, init, legacy, utils
from minigrad.nn.activation import (
    CELU, ELU, GELU, GLU, SELU, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyReLU, LogSigmoid, LogSoftmax, Mish,
    PReLU, ReLU, ReLU6, RReLU, Sigmoid, SiLU, Softmax, Softmax2d, Softmin, Softplus, Softshrink, Softsign, Tanh, Tanhshrink,
    Threshold,
)
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minigrad.nn.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigrad.nn.layers import (
    AlphaDropout, Bilinear, ChannelShuffle, CosineSimilarity, Dropout, Dropout1d, Dropout2d, Dropout3d, Embedding,
    FeatureAlphaDropout, Flatten, Identity, Linear, PairwiseDistance, PixelShuffle, PixelUnshuffle, Unflatten,
)
from minigrad.nn.lazy_layers import (
    LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d, LazyConv1d, LazyConv2d, LazyConvTranspose1d, LazyConvTranspose2d,
    LazyInstanceNorm1d, LazyInstanceNorm2d, LazyInstanceNorm3d, LazyLinear,
)
from minigrad.nn.loss import (
    BCELoss, BCEWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, GaussianNLLLoss, HingeEmbeddingLoss, HuberLoss,
    KLDivLoss, L1Loss, MarginRankingLoss, MSELoss, MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss, MultiMarginLoss, NLLLoss, PoissonNLLLoss,
    SmoothL1Loss, SoftMarginLoss, TripletMarginLoss, TripletMarginWithDistanceLoss,
)
from minigrad.nn.module import Module
from minigrad.nn.normalization import (
    BatchNorm1d, BatchNorm2d, BatchNorm3d, GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LayerNorm,
    LocalResponseNorm, RMSNorm,
)
from minigrad.nn.padding import (
    CircularPad1d, CircularPad2d, CircularPad3d, ConstantPad1d, ConstantPad2d, ConstantPad3d, ReflectionPad1d,
    ReflectionPad2d, ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d, ZeroPad1d, ZeroPad2d, ZeroPad3d,
)
from minigrad.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter
from minigrad.nn.pooling import (
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, Fold, LPPool1d, LPPool2d,
    MaxPool1d, MaxPool2d, MaxUnpool1d, MaxUnpool2d, Unfold,
)
from minigrad.nn.rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNBase, RNNCell, RNNCellBase
from minigrad.nn.transformer import (
    Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer,
)
from minigrad.nn.upsampling import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d

if TYPE_CHECKING:
    from minigrad.nn import parallel
    from minigrad.nn.parallel import DataParallel
else:
    __getattr__, __dir__ = _on_first_use(__name__, parallel="minigrad.nn.parallel", DataParallel="minigrad.nn.parallel")

legacy.install()

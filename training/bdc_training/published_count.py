"""What the paper's figures count: its parameters and operations are those of mmcv's `get_model_complexity_info`.

That tool knows layers by their exact class. Binary convolutions are a subclass of its own in the published code, so it
leaves their weights and multiplications out; so are biases before signs and around PReLU, and parameters outside of
layers. What it counts: real convolutions and linear layers (multiply-accumulates; convolutions' biases too), two
operations a value of a batch norm, one a value for ReLU, PReLU, pooling (of its input) and nn.Upsample.
"""

from torch import Tensor, nn

from .binary import RPReLU
from .blocks import DownSample
from .convolution import Conv2d
from .flashocc_bev_encoder import FlashOccBevEncoder
from .network import Network
from .published_heads import MlpOccupancyHead
from .real_layers import BasicBlock, ConvLayer
from .residual import Residual
from .resnet import Bottleneck, ResNet50
from .units import BDCUnit


class PublishedCount:
    """Attach before the network computes; read afterwards."""

    def __init__(self, network: Network) -> None:
        self.operations = 0
        counted = [m for m in network.modules() if type(m) in (Conv2d, nn.BatchNorm2d)]
        self.parameters = sum(p.numel() for m in counted for p in m.parameters(recurse=False))
        self.parameters += sum(m.slope.numel() for m in network.modules() if isinstance(m, RPReLU))
        # Linear layers there, whose biases aren't counted.
        heads = [m for m in network.modules() if isinstance(m, MlpOccupancyHead)]
        self._linear = {id(layer) for head in heads for layer in (head.hidden, head.logits)}
        for module in network.modules():
            module.register_forward_hook(self._count)

    def _count(self, module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        x = inputs[0]
        if type(module) is Conv2d:
            self.operations += output.numel() * module.weight[0].numel()
            if module.bias is not None and id(module) not in self._linear:
                self.operations += output.numel()
        elif isinstance(module, nn.BatchNorm2d):
            self.operations += 2 * x.numel()
        elif isinstance(module, RPReLU | Bottleneck | BasicBlock) or (isinstance(module, ConvLayer) and module.relu):
            self.operations += output.numel()
        elif isinstance(module, DownSample) or (isinstance(module, Residual) and module.stride == 2):
            self.operations += x.numel()
        elif isinstance(module, BDCUnit) and module.version == "V3":
            # The global average of the refinement branch.
            self.operations += output.numel()
        elif isinstance(module, ResNet50):
            # Max pooling of the stem's output.
            self.operations += x.shape[0] * module.stem.conv.out_channels * (x.shape[2] // 2) * (x.shape[3] // 2)
        elif isinstance(module, FlashOccBevEncoder):
            # 8·C channels at half the size, 2·C_out at the whole.
            self.operations += 2 * x.numel() + 2 * output.numel()

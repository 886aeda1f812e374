"""The published networks' arithmetic in plain PyTorch, with parameters under the names that their checkpoints use.

Written from their structure, apart from bdc_training, as its oracle. torch.sign is 0 at 0, as there.
"""

import torch
import torch.nn.functional as F
from torch import nn


def binary_conv(x, layer):
    weight = layer.weight
    scale = weight.abs().mean(dim=(1, 2, 3), keepdim=True)
    return F.conv2d(x, scale * torch.sign(weight), None, layer.stride, layer.padding)


def conv3(i, o, stride=1, bias=False):
    return nn.Conv2d(i, o, 3, stride, 1, bias=bias)


class Shift(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x):
        return x + self.bias


class RPReLU(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pr_bias0, self.pr_prelu, self.pr_bias1 = Shift(c), nn.PReLU(c), Shift(c)

    def forward(self, x):
        return self.pr_bias1(self.pr_prelu(self.pr_bias0(x)))


class Named(nn.Module):
    """A module of the given children."""

    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            if isinstance(child, nn.Parameter):
                self.register_parameter(name, child)
            else:
                self.add_module(name, child)


class Bdc(nn.Module):
    def __init__(self, i, o, stride=1, with_bn=False):
        super().__init__()

        def norm(c):
            return nn.BatchNorm2d(c) if with_bn else nn.Identity()

        self.stride = stride
        self.move0 = Named(b=nn.Parameter(torch.zeros(1, i, 1, 1)), k=nn.Parameter(torch.ones(1, i, 1, 1)))
        self.binary_activation = Named(beta=nn.Parameter(torch.ones(1)))
        body = [conv3(i, i, stride), norm(i), RPReLU(i), nn.Conv2d(i, o, 1, bias=False), norm(o), RPReLU(o)]
        self.binary_conv_relu = nn.Sequential(*body)
        gate = nn.Sequential(nn.Conv2d(o, o, 1, bias=False), RPReLU(o), nn.Conv2d(o, o, 1, bias=False))
        self.se_block = Named(fc=gate)
        self.bn_fp = norm(o)
        self.repeats = o // i

    def forward(self, x):
        identity = F.avg_pool2d(x, 2) if self.stride == 2 else x
        body = self.binary_conv_relu
        y = binary_conv(torch.sign(x * self.move0.k + self.move0.b), body[0])
        y = body[5](body[4](binary_conv(body[2](body[1](y)), body[3])))
        first, activation, second = self.se_block.fc
        gate = torch.sigmoid(binary_conv(activation(binary_conv(y.mean((2, 3), keepdim=True), first)), second))
        return y * gate + self.bn_fp(torch.cat([identity] * self.repeats, 1))


class Pair(nn.Module):
    """kind: down (pool, concatenate), up (bilinear, halves, concatenate), reduce (halves, average)."""

    def __init__(self, kind, c, with_bn=False):
        super().__init__()
        self.kind = kind
        self.biconv_1, self.biconv_2 = Bdc(c, c, with_bn=with_bn), Bdc(c, c, with_bn=with_bn)

    def forward(self, x):
        if self.kind == "down":
            x = F.avg_pool2d(x, 2)
            return torch.cat([self.biconv_1(x), self.biconv_2(x)], 1)
        if self.kind == "up":
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
        half = x.shape[1] // 2
        a, b = self.biconv_1(x[:, :half]), self.biconv_2(x[:, half:])
        return torch.cat([a, b], 1) if self.kind == "up" else (a + b) / 2


class Block(nn.Module):
    def __init__(self, i, o, first, downsample, with_bn):
        super().__init__()
        self.conv1, self.conv2, self.downsample, self.relu = first, Bdc(o, o, with_bn=with_bn), downsample, RPReLU(o)

    def forward(self, x):
        return self.relu(self.conv2(self.conv1(x)) + (x if self.downsample is None else self.downsample(x)))


class Backbone(nn.Module):
    """BEV backbone of three stages."""

    def __init__(self, c, with_bn, frames=1):
        super().__init__()
        stages = []
        for i in range(3):
            a, b = (c << i, c << i + 1) if i else (frames * c, 2 * c)
            first, short = (
                (Bdc(a, b, 2, with_bn), Bdc(a, b, 2)) if i == 0 else (Pair("down", a, with_bn), Pair("down", a))
            )
            second = Block(b, b, Bdc(b, b, with_bn=with_bn), None, with_bn)
            stages.append(nn.Sequential(Block(a, b, first, short, with_bn), second))
        self.layers = nn.Sequential(*stages)

    def forward(self, x):
        half = self.layers[0](x)
        return half, self.layers[2](self.layers[1](half))


class BevNeck(nn.Module):
    def __init__(self, c, out, with_bn):
        super().__init__()
        self.up = nn.Sequential(*[Pair("up", 4 * c, with_bn) for _ in range(2)])
        fuse = [conv3(10 * c, 2 * out), nn.BatchNorm2d(2 * out), nn.ReLU(), Bdc(2 * out, 2 * out, with_bn=with_bn)]
        self.conv = nn.Sequential(*fuse)
        last = [Pair("up", out, with_bn), Pair("reduce", out, with_bn), Bdc(out, out, with_bn=with_bn)]
        self.up2 = nn.Sequential(*last)

    def forward(self, maps):
        half, eighth = maps
        return self.up2(self.conv(torch.cat([half, self.up(eighth)], 1)))


class Bottleneck(nn.Module):
    def __init__(self, i, width, stride):
        super().__init__()
        o = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(i, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv3(width, width, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, o, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = None
        if stride != 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        channels = width
        for i, count in enumerate((3, 4, 6, 3)):
            blocks = []
            for j in range(count):
                blocks.append(Bottleneck(channels, width << i, 2 if i and not j else 1))
                channels = 4 * (width << i)
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))

    def forward(self, x):
        third = self.layer3(self.layer2(self.first_stage(x)))
        return third, self.layer4(third)

    def first_stage(self, x):
        return self.layer1(F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1))


class Neck(nn.Module):
    """Laterals of reductions (T) or of real 1×1 layers (B), added top-down; `real` says which."""

    def __init__(self, levels, out, real, with_bn=False):
        super().__init__()
        laterals = []
        for i, channels in enumerate(levels):
            if real:
                laterals.append(Named(conv=nn.Conv2d(channels, out, 1)))
                continue
            steps = {}
            while channels > out:
                channels //= 2
                steps[f"l_conv_{i}_{len(steps)}"] = Pair("reduce", channels, with_bn)
            laterals.append(Named(**steps))
        self.lateral_convs = nn.ModuleList(laterals)
        self.fpn_convs = nn.ModuleList(
            [Named(conv=conv3(out, out, bias=True)) if real else Bdc(out, out, with_bn=with_bn)]
        )

    def forward(self, maps):
        fine, coarse = (self._apply_all(lateral, x) for lateral, x in zip(self.lateral_convs, maps, strict=True))
        return self._apply_all(self.fpn_convs[0], fine + F.interpolate(coarse, size=fine.shape[2:], mode="nearest"))

    @staticmethod
    def _apply_all(module, x):
        if not isinstance(module, Named):
            return module(x)
        for child in module.children():
            x = child(x)
        return x


class OccHead(nn.Module):
    def __init__(self, channels, outputs, with_bn):
        super().__init__()
        self.final_conv = Bdc(channels, channels, with_bn=with_bn)
        self.predicter = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.Softplus(), nn.Linear(2 * channels, outputs)
        )

    def forward(self, x):
        return self.predicter(self.final_conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class BoxHead(nn.Module):
    def __init__(self, channels, sizes):
        super().__init__()
        steps, shared = {}, min(64, channels)
        while channels > shared:
            channels //= 2
            steps[f"shared_conv_{len(steps)}"] = Pair("reduce", channels)
        self.shared_conv = Named(**steps)
        branches = {name: nn.Sequential(Bdc(shared, shared), conv3(shared, n, bias=True)) for name, n in sizes.items()}
        self.task_heads = nn.ModuleList([Named(**branches)])

    def forward(self, x):
        for step in self.shared_conv.children():
            x = step(x)
        return {name: branch(x) for name, branch in self.task_heads[0].named_children()}


class DepthNet(nn.Module):
    """BEVDepth's, with a cost volume beside the features; `aspp` is the pyramid's middle width."""

    def __init__(self, c, depths, context, aspp):
        super().__init__()
        self.reduce_conv = nn.Sequential(conv3(c, c, bias=True), nn.BatchNorm2d(c), nn.ReLU())
        self.context_conv = nn.Conv2d(c, context, 1)
        self.bn = nn.BatchNorm1d(27)
        for kind in ("depth", "context"):
            self.add_module(f"{kind}_mlp", Named(fc1=nn.Linear(27, c), fc2=nn.Linear(c, c)))
            self.add_module(f"{kind}_se", Named(conv_reduce=nn.Conv2d(c, c, 1), conv_expand=nn.Conv2d(c, c, 1)))
        steps = [[conv3(depths, depths, 2, True), nn.BatchNorm2d(depths)] for _ in range(2)]
        self.cost_volumn_net = nn.Sequential(*steps[0], *steps[1])
        blocks = [BasicBlock(c + depths, c), BasicBlock(c, c), BasicBlock(c, c), Aspp(c, aspp), nn.Conv2d(c, depths, 1)]
        self.depth_conv = nn.Sequential(*blocks)

    def gated(self, kind, x, known):
        perceptron, excitation = getattr(self, f"{kind}_mlp"), getattr(self, f"{kind}_se")
        y = perceptron.fc2(F.relu(perceptron.fc1(known)))[..., None, None]
        return x * torch.sigmoid(excitation.conv_expand(F.relu(excitation.conv_reduce(y))))

    def forward(self, x, parameters, volume):
        known, x = self.bn(parameters), self.reduce_conv(x)
        context = self.context_conv(self.gated("context", x, known))
        depth = torch.cat([self.gated("depth", x, known), self.cost_volumn_net(volume)], 1)
        return torch.cat([self.depth_conv(depth), context], 1)


class BasicBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1, self.bn1, self.conv2, self.bn2 = conv3(i, o), nn.BatchNorm2d(o), conv3(o, o), nn.BatchNorm2d(o)
        self.downsample = None if i == o else nn.Conv2d(i, o, 1)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Aspp(nn.Module):
    def __init__(self, c, middle):
        super().__init__()
        for i, dilation in enumerate((1, 6, 12, 18)):
            kernel = {"kernel_size": 3, "padding": dilation, "dilation": dilation} if i else {"kernel_size": 1}
            conv = nn.Conv2d(c, middle, bias=False, **kernel)
            self.add_module(f"aspp{i + 1}", Named(atrous_conv=conv, bn=nn.BatchNorm2d(middle)))
        pool = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, middle, 1, bias=False), nn.BatchNorm2d(middle), nn.ReLU()]
        self.global_avg_pool = nn.Sequential(*pool)
        self.conv1, self.bn1 = nn.Conv2d(5 * middle, c, 1, bias=False), nn.BatchNorm2d(c)

    def forward(self, x):
        branches = [getattr(self, f"aspp{i}") for i in (1, 2, 3, 4)]
        parts = [F.relu(branch.bn(branch.atrous_conv(x))) for branch in branches]
        parts.append(F.interpolate(self.global_avg_pool(x), size=x.shape[2:], mode="bilinear", align_corners=True))
        return F.relu(self.bn1(self.conv1(torch.cat(parts, 1))))


def published_network(
    width, out, context, depths, *, occupancy=0, boxes=None, real_neck=False, with_bn=False, neck_bn=False, aspp=0
):
    """`occupancy`: channels of the voxel logits; `boxes`: channels by name of the detection maps; `aspp`: of the depth
    network of 4D stereo."""
    depth_net = DepthNet(out, depths, context, aspp) if aspp else nn.Conv2d(out, depths + context, 1)
    parts = {
        "img_backbone": ResNet(width),
        "img_neck": Neck((16 * width, 32 * width), out, real_neck, neck_bn),
        "img_view_transformer": Named(depth_net=depth_net),
        "img_bev_encoder_backbone": Backbone(context, with_bn, 2 if aspp else 1),
        "img_bev_encoder_neck": BevNeck(context, out, with_bn),
    }
    if aspp:
        first, short = Bdc(context, context, with_bn=with_bn), Bdc(context, context, with_bn=with_bn)
        block = Block(context, context, first, short, with_bn)
        parts["pre_process_net"] = Named(layers=nn.Sequential(nn.Sequential(block)))
    if occupancy:
        parts["occ_head"] = OccHead(out, occupancy, with_bn)
    if boxes:
        parts["pts_bbox_head"] = BoxHead(out, boxes)
    return Named(**parts)

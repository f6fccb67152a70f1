"""Every variant has as many parameters as its published counterpart."""

import pytest
import torch

from hsi.backbones import BACKBONES, build_backbone

# num_params in the metadata of torchvision's weights, for 3 channels and 1000 classes.
TORCHVISION = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "mobilenet_v2": 3_504_872,
    "shufflenet_v2_x0_5": 1_366_792,
    "shufflenet_v2_x1_0": 2_278_604,
    "shufflenet_v2_x1_5": 3_503_624,
    "shufflenet_v2_x2_0": 7_393_996,
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
}
# pytorchcv 0.0.74: preresnet18, preresnet50, seresnet50, cbam_resnet50, sknet50, mobilenet_w1 to
# mobilenet_wd4, shufflenet_g1_w1 to shufflenet_g8_w1, and its get_shufflenet for other widths.
PYTORCHCV = {
    "preresnet18": 11_687_848,
    "preresnet50": 25_549_480,
    "se_resnet50": 28_088_024,
    "cbam_resnet50": 28_089_624,
    "sk_resnet50": 27_479_784,
    "mobilenet_v1": 4_231_976,
    "mobilenet_v1_x0_75": 2_585_560,
    "mobilenet_v1_x0_5": 1_331_592,
    "mobilenet_v1_x0_25": 470_072,
    "shufflenet_v1_g1_x0_5": 534_484,
    "shufflenet_v1_g1_x1_0": 1_531_936,
    "shufflenet_v1_g1_x2_0": 4_918_744,
    "shufflenet_v1_g2_x1_0": 1_733_848,
    "shufflenet_v1_g2_x2_0": 5_257_896,
    "shufflenet_v1_g3_x0_5": 718_324,
    "shufflenet_v1_g3_x1_0": 1_865_728,
    "shufflenet_v1_g3_x2_0": 5_450_776,
    "shufflenet_v1_g4_x1_0": 1_968_344,
    "shufflenet_v1_g4_x2_0": 5_593_528,
    "shufflenet_v1_g8_x1_0": 2_434_768,
    "shufflenet_v1_g8_x2_0": 6_522_232,
}
# ResNet-50 and one kernel a block, whose sizes for 256, 512, 1024 and 2048 channels the paper's
# formula gives: 5, 5, 5 and 7.
BY_HAND = {"eca_resnet50": 25_557_032 + 3 * 5 + 4 * 5 + 6 * 5 + 3 * 7}
# Half the width of these does not divide into their groups; nobody else seems to have them.
NOWHERE_PUBLISHED = {"shufflenet_v1_g2_x0_5", "shufflenet_v1_g4_x0_5", "shufflenet_v1_g8_x0_5"}
PUBLISHED = TORCHVISION | PYTORCHCV | BY_HAND


def count(name, **options):
    with torch.device("meta"):
        network = build_backbone(name, **options)
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_the_published_ones(name):
    assert count(name) == PUBLISHED[name]


def test_lenet_has_its_61706_on_digits():
    assert count("lenet5", channels=1, classes=10) == 61_706


def test_no_variant_is_left_out():
    assert PUBLISHED.keys() | NOWHERE_PUBLISHED | {"lenet5"} == BACKBONES.keys()


def test_the_published_numbers_are_those_of_the_installed_torchvision(torchvision):
    for name, parameters in TORCHVISION.items():
        for weights in torchvision.models.get_model_weights(name):
            assert weights.meta["num_params"] == parameters, name


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "preresnet50", "googlenet"])
def test_channels_and_classes_change_the_first_and_the_last_layer_alone(name):
    first, last = {
        "alexnet": (64 * 11 * 11, 4096),
        "resnet18": (64 * 7 * 7, 512),
        "preresnet50": (64 * 7 * 7, 2048),
        "googlenet": (64 * 7 * 7, 1024),
    }[name]
    assert count(name, channels=30) - count(name) == 27 * first
    assert count(name) - count(name, classes=10) == 990 * (last + 1)

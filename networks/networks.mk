# Networks, one readable file each; tests/test_count recounts every one.
NETWORKS = \
	networks/alexnet.net networks/alexnet_grouped_227.net networks/convnext_tiny.net \
	networks/deeplabv3_resnet50.net networks/densenet121.net networks/densenet169.net networks/densenet201.net \
	networks/efficientnet_b0.net networks/efficientnet_b1.net networks/efficientnet_b2.net \
	networks/efficientnet_b3.net networks/efficientnet_b4.net networks/efficientnet_b5.net \
	networks/efficientnet_b6.net networks/efficientnet_b7.net networks/googlenet.net networks/inception_v3.net \
	networks/lenet5.net networks/mnasnet1_0.net networks/mobilenet_v1.net networks/mobilenet_v1_0.5.net \
	networks/mobilenet_v1_dense.net networks/mobilenet_v1_groups1.net networks/mobilenet_v1_groups4.net \
	networks/mobilenet_v2.net networks/mobilenet_v3_large.net networks/mobilenet_v3_small.net \
	networks/r3d_18.net networks/regnet_x_400mf.net networks/regnet_y_400mf.net networks/resnet101.net \
	networks/resnet152.net networks/resnet18.net networks/resnet34.net networks/resnet50.net \
	networks/resnet50_v1.net networks/resnext101_32x8d.net networks/resnext50_32x4d.net \
	networks/shufflenet_v1_g3.net networks/shufflenet_v2.net networks/squeezenet1_0.net \
	networks/squeezenet1_1.net networks/ssd300_vgg16.net networks/stack50.net networks/stack50_separable.net \
	networks/swin_t.net networks/tcn_mnist.net networks/unet.net networks/vgg11.net networks/vgg13.net \
	networks/vgg16.net networks/vgg19.net networks/vit_b_16.net networks/wide_resnet50_2.net \
	networks/xception.net networks/yolov2_tiny_voc.net networks/yolov3_tiny.net

networksdir = $(pkgdatadir)/networks
dist_networks_DATA = $(NETWORKS)

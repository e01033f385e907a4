# Networks, one readable file each; tests/test_networks recounts every one.
NETWORKS = \
	networks/alexnet.net networks/alexnet_grouped_227.net networks/convnext_tiny.net networks/densenet121.net \
	networks/efficientnet_b0.net networks/googlenet.net networks/lenet5.net networks/mobilenet_v1.net \
	networks/mobilenet_v1_0.5.net networks/mobilenet_v1_dense.net networks/mobilenet_v1_groups1.net \
	networks/mobilenet_v1_groups4.net networks/mobilenet_v2.net networks/resnet18.net \
	networks/resnet50.net networks/resnet50_v1.net networks/resnext50_32x4d.net networks/shufflenet_v1_g3.net \
	networks/shufflenet_v2.net networks/squeezenet1_0.net networks/stack50.net networks/stack50_separable.net \
	networks/vgg16.net networks/xception.net

networksdir = $(pkgdatadir)/networks
dist_networks_DATA = $(NETWORKS)

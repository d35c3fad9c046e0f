// Names the releases whose definitions of PodMonitor, VerticalPodAutoscaler and their like the tests of deploy/kubernetes use.
module logagent.test/servers/crds

go 1.26.5

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
	k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1
)

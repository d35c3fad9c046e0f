{{- define "log-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "log-agent.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "log-agent.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "log-agent.namespace" -}}
{{- default .Release.Namespace .Values.namespace -}}
{{- end -}}

{{- define "log-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "log-agent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "log-agent.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "log-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "log-agent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "log-agent.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "log-agent.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "log-agent.config" -}}
{{- tpl .Values.config.file . -}}
{{- end -}}

{{/* The rights that the roles of kubernetes_sd_configs need: `{group: {resource: true}}`, as YAML. */}}
{{- define "log-agent.rights" -}}
{{- $rights := dict "" dict "discovery.k8s.io" dict "networking.k8s.io" dict -}}
{{- $core := get $rights "" -}}
{{- $config := fromYaml (include "log-agent.config" .) -}}
{{- if hasKey $config "Error" -}}{{- $_ := set $core "pods" true -}}{{- end -}}
{{- range $job := (get $config "scrape_configs" | default list) -}}
{{- range $sd := (get $job "kubernetes_sd_configs" | default list) -}}
{{- $role := get $sd "role" -}}
{{- if has $role (list "pod" "endpoints" "endpointslice") -}}{{- $_ := set $core "pods" true -}}{{- end -}}
{{- if has $role (list "service" "endpoints" "endpointslice") -}}{{- $_ := set $core "services" true -}}{{- end -}}
{{- if eq $role "endpoints" -}}{{- $_ := set $core "endpoints" true -}}{{- end -}}
{{- if eq $role "endpointslice" -}}{{- $_ := set (get $rights "discovery.k8s.io") "endpointslices" true -}}{{- end -}}
{{- if eq $role "ingress" -}}{{- $_ := set (get $rights "networking.k8s.io") "ingresses" true -}}{{- end -}}
{{- $attach := get $sd "attach_metadata" | default dict -}}
{{- if or (eq $role "node") (get $attach "node") -}}{{- $_ := set $core "nodes" true -}}{{- end -}}
{{- if get $attach "namespace" -}}{{- $_ := set $core "namespaces" true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $rights -}}
{{- end -}}

{{- define "log-agent.podSecurityContext" -}}
{{- $profile := dict -}}
{{- if eq .Values.securityProfile "root" -}}
{{- $profile = dict "runAsUser" 0 "runAsGroup" 0 -}}
{{- else if eq .Values.securityProfile "nonroot" -}}
{{- $profile = dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 -}}
{{- else -}}
{{- fail (printf "securityProfile: root or nonroot, not %s" (.Values.securityProfile | toString)) -}}
{{- end -}}
{{- $_ := set $profile "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite $profile (deepCopy .Values.podSecurityContext)) -}}
{{- end -}}

{{- define "log-agent.containerSecurityContext" -}}
{{- $profile := dict "readOnlyRootFilesystem" true "allowPrivilegeEscalation" (eq .Values.securityProfile "nonroot") "capabilities" (dict "drop" (list "ALL") "add" (list "DAC_READ_SEARCH")) -}}
{{- toYaml (mergeOverwrite $profile (deepCopy .Values.containerSecurityContext)) -}}
{{- end -}}

{{/* The pod of the DaemonSet and of the Deployment. */}}
{{- define "log-agent.podTemplate" -}}
metadata:
  labels:
    {{- include "log-agent.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  annotations:
    # Another configuration: other pods.
    checksum/config: {{ include "log-agent.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "log-agent.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountServiceAccountToken }}
  enableServiceLinks: {{ .Values.enableServiceLinks }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.global.imagePullSecrets | default .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "log-agent.podSecurityContext" . | nindent 4 }}
  {{- if or .Values.initContainer (eq .Values.securityProfile "nonroot") }}
  initContainers:
    {{- if eq .Values.securityProfile "nonroot" }}
    # The kubelet makes host paths for root.
    - name: state-ownership
      image: {{ .Values.stateOwnership.image }}
      command: [chown, "10001:10001", {{ dir .Values.config.positions.filename | quote }}]
      resources:
        {{- toYaml .Values.stateOwnership.resources | nindent 8 }}
      securityContext:
        runAsUser: 0
        runAsNonRoot: false
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities:
          drop: [ALL]
          add: [CHOWN]
      volumeMounts:
        {{- tpl (toYaml .Values.defaultVolumeMounts) . | nindent 8 }}
    {{- end }}
    {{- with .Values.initContainer }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: log-agent
      image: {{ include "log-agent.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - -config.file=/etc/log-agent/agent.yaml
        {{- with .Values.extraArgs }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
      env:
        - name: HOSTNAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        - name: NODE_NAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        {{- with .Values.extraEnv }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- tpl (toYaml .) $ | nindent 8 }}
      {{- end }}
      ports:
        - name: http-metrics
          containerPort: {{ .Values.config.serverPort }}
          protocol: TCP
        {{- range $key, $port := .Values.extraPorts }}
        - name: {{ $port.name | default $key }}
          containerPort: {{ $port.containerPort }}
          protocol: {{ $port.protocol | default "TCP" }}
        {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe:
        {{- tpl (toYaml .) $ | nindent 8 }}
      {{- end }}
      {{- if .Values.livenessProbe }}
      livenessProbe:
        {{- tpl (toYaml .Values.livenessProbe) . | nindent 8 }}
      {{- else if kindIs "map" .Values.livenessProbe }}
      livenessProbe:
        httpGet:
          path: {{ printf "%s/loglevel" .Values.httpPathPrefix }}
          port: http-metrics
        initialDelaySeconds: 10
        periodSeconds: 30
        timeoutSeconds: 10
        failureThreshold: 5
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "log-agent.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/log-agent
          readOnly: true
        {{- with .Values.defaultVolumeMounts }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
    {{- range $name, $container := .Values.extraContainers }}
    - name: {{ $name }}
      {{- tpl (toYaml (omit $container "name")) $ | nindent 6 }}
    {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumes:
    - name: config
      {{- if .Values.configmap.enabled }}
      configMap:
        name: {{ include "log-agent.fullname" . }}
      {{- else }}
      secret:
        secretName: {{ include "log-agent.fullname" . }}
      {{- end }}
    {{- with .Values.defaultVolumes }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "register.security" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "register.container" -}}
image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}
{{- define "register.settings" -}}
- {name: REGISTRY_BASE_URL, value: {{ .Values.baseUrl | quote }}}
- {name: REGISTRY_REVIEW, value: {{ .Values.review | quote }}}
- {name: REGISTRY_SECURITY_CONTACT, value: {{ .Values.securityContact | quote }}}
- {name: REGISTRY_PUBLISH_TO, value: {{ .Values.store.url | quote }}}
- {name: AWS_ENDPOINT_URL, value: {{ .Values.store.endpoint | quote }}}
- {name: AWS_REGION, value: {{ .Values.store.region | quote }}}
{{- end }}

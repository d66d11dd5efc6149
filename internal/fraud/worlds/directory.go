package worlds

import (
	"bytes"

	"partnerguard/internal/entra"
)

func (e *event) id() string { return (&dice{s: mix(uint64(e.at.UnixNano()))}).guid() }

// signIn writes a sign-in as Graph gives it.
func (w *World) signIn(b *bytes.Buffer, e *event) {
	o := &object{b: b}
	o.open()
	o.str("id", e.id())
	o.str("createdDateTime", stamp(e.at))
	w.signInBody(o, e)
	o.shut()
	b.WriteByte('\n')
}

func (w *World) signInBody(o *object, e *event) {
	o.str("tenantId", e.customer.ID)
	o.str("resourceTenantId", e.customer.ID)
	o.str("homeTenantId", e.who.tenant)
	if e.who.app != "" {
		o.str("servicePrincipalId", e.who.id)
		o.str("servicePrincipalName", e.who.name)
		o.str("appId", e.who.app)
	} else {
		o.str("userId", e.who.id)
		o.str("userPrincipalName", e.who.upn)
		o.str("userDisplayName", e.who.name)
		o.str("appId", entra.AppAzurePortal)
		o.str("appDisplayName", "Azure Portal")
	}
	o.str("ipAddress", e.ip)
	o.in("location")
	o.str("city", e.city)
	o.str("countryOrRegion", e.country)
	o.shut()
	o.in("status")
	if e.failed {
		o.raw("errorCode", "50126")
	} else {
		o.raw("errorCode", "0")
	}
	o.shut()
	risk := "none"
	if e.risk != "" {
		risk = e.risk
	}
	o.str("riskLevelDuringSignIn", risk)
	o.str("riskLevelAggregated", risk)
}

// audit writes an audit of the directory as Graph gives it.
func (w *World) audit(b *bytes.Buffer, e *event) {
	o := &object{b: b}
	o.open()
	o.str("id", e.id())
	o.str("activityDateTime", stamp(e.at))
	w.auditBody(o, e)
	o.shut()
	b.WriteByte('\n')
}

func (w *World) auditBody(o *object, e *event) {
	o.str("tenantId", e.customer.ID)
	o.str("activityDisplayName", e.activity)
	o.str("category", "UserManagement")
	o.str("result", "success")
	o.str("loggedByService", "Core Directory")
	o.in("initiatedBy")
	if e.who.app != "" {
		o.in("app")
		o.str("appId", e.who.app)
		o.str("servicePrincipalId", e.who.id)
		o.str("displayName", e.who.name)
	} else {
		o.in("user")
		o.str("id", e.who.id)
		o.str("userPrincipalName", e.who.upn)
		o.str("ipAddress", e.ip)
	}
	o.shut()
	o.shut()
	o.key("targetResources")
	o.b.WriteByte('[')
	o.open()
	o.str("id", e.target.id)
	o.str("displayName", e.target.name)
	if e.target.app != "" {
		o.str("type", "ServicePrincipal")
	} else {
		o.str("type", "User")
		o.str("userPrincipalName", e.target.upn)
	}
	if e.detail != "" {
		o.raw("modifiedProperties", `[{"displayName":"`+e.activity+`","newValue":`+quote(quote(e.detail))+`}]`)
	}
	o.shut()
	o.b.WriteByte(']')
}

// eventInside writes it as the diagnostic form does, among the rows of the Activity Log.
func (w *World) eventInside(b *bytes.Buffer, e *event, _ *Subscription) {
	o := &object{b: b}
	o.open()
	o.str("time", stamp(e.at))
	o.str("resourceId", "/tenants/"+e.customer.ID+"/providers/Microsoft.aadiam")
	o.str("tenantId", e.customer.ID)
	o.str("callerIpAddress", e.ip)
	if e.activity == "" {
		o.str("operationName", "Sign-in activity")
		o.str("category", map[bool]string{true: "ServicePrincipalSignInLogs", false: "SignInLogs"}[e.who.app != ""])
		o.str("resultType", map[bool]string{true: "50126", false: "0"}[e.failed])
	} else {
		o.str("operationName", e.activity)
		o.str("category", "AuditLogs")
		o.str("resultSignature", "None")
	}
	o.in("properties")
	if e.activity == "" {
		o.str("createdDateTime", stamp(e.at))
		w.signInBody(o, e)
	} else {
		o.str("activityDateTime", stamp(e.at))
		w.auditBody(o, e)
	}
	o.shut()
	o.shut()
	b.WriteByte('\n')
}

package remedy

import "partnerguard/internal/pattern"

const guidText = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`

var (
	guidForm   = pattern.Later(`^` + guidText + `$`)
	keyForm    = pattern.Later(`^[a-z][a-z0-9-]{0,39}$`)
	keyHolder  = pattern.Later(`^\{([a-z][a-z0-9-]{0,39})\}$`)
	linkForm   = pattern.Later(`^[A-Za-z0-9_-]{8,200}$`)
	methodForm = pattern.Later(`^([A-Za-z][A-Za-z0-9]{1,40}|` + guidText + `)$`)
	memberForm = pattern.Later(`^(` + guidText + `|\{[a-z][a-z0-9-]{0,39}\})/(` + guidText + `|\{[a-z][a-z0-9-]{0,39}\})$`)
	roleForm   = pattern.Later(`^` + guidText + `/[A-Za-z0-9_-]{8,200}$`)
	credForm   = pattern.Later(`^(applications|servicePrincipals)/` + guidText + `/` + guidText + `$`)
)

// idForms are how the ids of a kind look. A tenant has one of what is not here.
var idForms = map[Kind]*pattern.Pattern{
	Policy: guidForm, Location: guidForm, Strength: guidForm, PerUserMFA: guidForm, Group: guidForm, Principal: guidForm,
	Method: methodForm, Role: linkForm, Grant: linkForm,
	Member:     memberForm, // GROUP/ACCOUNT
	AppRole:    roleForm,   // SERVICE PRINCIPAL/ASSIGNMENT
	Credential: credForm,   // applications or servicePrincipals/OBJECT/KEY
}

// Single says that a tenant has exactly one object of a kind, which needs no id.
func (k Kind) Single() bool {
	return k == Defaults || k == Methods || k == Authorization || k == ConsentRequests
}

// IsID says whether a text is an id of an object of this kind: Microsoft's, GUIDs in
// lower case. Of a member it is GROUP/ACCOUNT, of an app role SERVICE-PRINCIPAL/ASSIGNMENT, of
// a credential applications/OBJECT/KEY or servicePrincipals/OBJECT/KEY.
func (k Kind) IsID(id string) bool {
	form := idForms[k]
	return form != nil && form.MatchString(id)
}

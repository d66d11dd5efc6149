package remedy

import "regexp"

const guidText = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`

var (
	guidForm   = regexp.MustCompile(`^` + guidText + `$`)
	keyForm    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	keyHolder  = regexp.MustCompile(`^\{([a-z][a-z0-9-]{0,39})\}$`)
	linkForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{8,200}$`)
	methodForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]{1,40}|` + guidText + `)$`)
	memberForm = regexp.MustCompile(`^(` + guidText + `|\{[a-z][a-z0-9-]{0,39}\})/(` + guidText + `|\{[a-z][a-z0-9-]{0,39}\})$`)
	roleForm   = regexp.MustCompile(`^` + guidText + `/[A-Za-z0-9_-]{8,200}$`)
	credForm   = regexp.MustCompile(`^(applications|servicePrincipals)/` + guidText + `/` + guidText + `$`)
)

// idForms are how the ids of a kind look. A tenant has one of what is not here.
var idForms = map[Kind]*regexp.Regexp{
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

package graph

import "testing"

// A cast binds: names are those of the type, and an object of another type is not there.
func TestCastsBind(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	members := "/v1.0/groups/" + agents + "/members/microsoft.graph."
	l.get(members+"user?$select=id,userPrincipalName", tok).want(200)
	l.get(members+"servicePrincipal?$select=appId", tok).want(200)
	l.get(members+"device?$select=id", tok).want(200)
	l.get(members+"user?$select=groupTypes", tok).want(400)
	l.get(members+"user?$filter=groupTypes/any(x:x eq 'Unified')&$count=true", tok, "ConsistencyLevel", "eventual").want(400)
	l.get("/v1.0/directoryObjects/"+plain+"/microsoft.graph.user?$select=userPrincipalName", tok).want(200)
	l.get("/v1.0/directoryObjects/"+plain+"/microsoft.graph.group", tok).want(404)
	l.get("/v1.0/users/"+plain+"/microsoft.graph.user", tok).want(200)
	l.get("/v1.0/users/"+plain+"/microsoft.graph.group", tok).want(404)
	l.get("/v1.0/policies/authorizationPolicy/microsoft.graph.user", tok).want(404)
	l.do("DELETE", "/v1.0/users/"+plain+"/microsoft.graph.group", tok, "").want(400)
	l.get("/v1.0/users/"+plain, tok).want(200)
}

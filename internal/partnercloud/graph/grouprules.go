package graph

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// What a group's body may say and must hold together (Microsoft Graph, "Create
// group", "Update group").

// keptOfGroups are properties of groups that decide nothing here.
func keptOfGroups() fields {
	return fields{
		"classification": text().upTo(256), "preferredLanguage": text().upTo(64), "theme": enum("Teal Purple Green Blue Pink Orange Red"),
		"preferredDataLocation": text().upTo(16), "uniqueName": text().upTo(256), "resourceBehaviorOptions": list(text()).upTo(20),
		"resourceProvisioningOptions": list(text()).upTo(20), "allowExternalSenders": flag(), "autoSubscribeNewMembers": flag(),
		"hideFromAddressLists": flag(), "hideFromOutlookClients": flag(), "isSubscribedByMail": flag(),
	}
}

// ofMail are those of them that only Microsoft 365 groups have, false unless said.
const ofMail = "allowExternalSenders autoSubscribeNewMembers hideFromAddressLists hideFromOutlookClients isSubscribedByMail"

func keptGroupFields() (out []field) {
	for _, n := range words("classification preferredDataLocation preferredLanguage resourceBehaviorOptions resourceProvisioningOptions theme uniqueName " +
		ofMail) {
		flags := slices.Contains(words(ofMail), n)
		fd := f(n, func(g *world.Group) any {
			if v, ok := g.Props[n]; ok {
				return v
			}
			if strings.HasPrefix(n, "resource") {
				return []string{}
			}
			if flags && g.Unified {
				return false
			}
			return nil
		})
		fd.asked = flags
		out = append(out, fd)
	}
	return out
}

// keepGroup takes over what the body says of kept properties.
func (c *call) keepGroup(g *world.Group, ch *change) {
	for n := range keptOfGroups() {
		v, ok := c.in[n]
		if !ok {
			continue
		}
		next := map[string]json.RawMessage{}
		for k, x := range g.Props {
			next[k] = x
		}
		delete(next, n)
		if raw, err := json.Marshal(v); err == nil && v != nil {
			next[n] = raw
		}
		ch.changed(strings.ToUpper(n[:1])+n[1:], was(g.Props[n]), was(next[n]))
		g.Props = next
	}
}

// groupType takes groupTypes, the mail and security flags and the rule of a body over
// into a group and refuses what does not go together.
func (c *call) groupType(t *world.Tenant, g *world.Group) error {
	dynamic := g.Rule != ""
	if given(c.in, "groupTypes") {
		types := strs(c.in, "groupTypes")
		unified := slices.Contains(types, "Unified")
		dynamic = slices.Contains(types, "DynamicMembership")
		if g.Created.IsZero() {
			g.Unified = unified
		} else if g.Unified != unified {
			return badRequest("The type of a group cannot be changed between Microsoft 365 and security.")
		}
	}
	if given(c.in, "securityEnabled") {
		g.Secure = truth(c.in, "securityEnabled")
	}
	mail := g.Unified
	if given(c.in, "mailEnabled") {
		mail = truth(c.in, "mailEnabled")
	}
	switch {
	case !g.Unified && (mail || given(c.in, "securityEnabled") && !g.Secure):
		return badRequest("The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset " +
			"and the security-enablement property is set.")
	case g.Unified && !mail:
		return badRequest("A Microsoft 365 group must be mail-enabled.")
	}
	if !g.Unified {
		g.Secure = false
	}
	return c.groupRule(t, g, dynamic)
}

func (c *call) groupRule(t *world.Tenant, g *world.Group, dynamic bool) error {
	take(c.in, "membershipRule", &g.Rule, str)
	if given(c.in, "membershipRuleProcessingState") {
		g.Paused = str(c.in, "membershipRuleProcessingState") == "Paused"
	}
	switch {
	case !dynamic && given(c.in, "groupTypes") && g.Rule != "" && str(c.in, "membershipRule") == "":
		g.Rule, g.Paused = "", false // turned into one with assigned members, who stay
		return nil
	case !dynamic && (g.Rule != "" || str(c.in, "membershipRuleProcessingState") != ""):
		return badRequest("A membership rule is for groups whose groupTypes hold DynamicMembership.")
	case !dynamic:
		return nil
	case g.Rule == "":
		return badRequest("A group whose groupTypes hold DynamicMembership needs a membershipRule.")
	case g.RoleAssignable:
		return badRequest("A group that is assignable to roles cannot have dynamic membership.")
	case !t.Premium():
		return refuse(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Dynamic membership groups need Microsoft Entra ID P1 in the tenant.")
	}
	if _, err := world.ParseRule(g.Rule); err != nil {
		return badRequest("Invalid value specified for property 'membershipRule' of resource 'Group': %s.", err.Error())
	}
	return nil
}

// groupNames takes nickname and visibility over, and gives a Microsoft 365 group its
// address.
func (c *call) groupNames(t *world.Tenant, g *world.Group) error {
	if n := str(c.in, "mailNickname"); n != "" {
		if strings.ContainsAny(n, "@ ()\\[]\";:<>,") {
			return badRequest("Invalid value specified for property 'mailNickname' of resource 'Group'.")
		}
		if other := groupByNickname(t, n); g.Unified && other != nil && !strings.EqualFold(other.ID, g.ID) {
			return badRequest("Another object with the same value for property mailNickname already exists.")
		}
		g.Nickname = n
	}
	if g.Unified && g.Mail == "" {
		g.Mail = groupNickname(g) + "@" + t.Domain()
	}
	if given(c.in, "visibility") {
		v := str(c.in, "visibility")
		switch {
		case v == "HiddenMembership" && (!g.Unified || !g.Created.IsZero()):
			return badRequest("HiddenMembership can be set for Microsoft 365 groups when they are made.")
		case v != g.Visibility && g.Visibility == "HiddenMembership":
			return badRequest("The visibility of a group with hidden membership cannot be changed.")
		}
		g.Visibility = v
	}
	return nil
}

// mayJoin refuses members that the kind of group cannot have.
func (c *call) mayJoin(t *world.Tenant, g *world.Group, id string) error {
	switch {
	case g.Rule != "":
		return badRequest("The members of a dynamic membership group cannot be changed by hand: they follow from its rule.")
	case strings.EqualFold(g.ID, id):
		return badRequest("A group cannot be a member of itself.")
	case g.Unified && t.Users.Get(id) == nil:
		return badRequest("Invalid object type: only users can be members of a Microsoft 365 group.")
	case g.RoleAssignable && t.Groups.Get(id) != nil:
		return badRequest("A group cannot be a member of a group that is assignable to roles.")
	}
	return nil
}

package graph

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Group settings and their templates (Microsoft Graph, "groupSetting resource"). They
// are kept and read; nothing here is decided by them.

// settingTemplate is one of Microsoft's templates; values are name, type and default,
// in order. What they are for is said in our words.
type settingTemplate struct {
	id, name, about string
	values          [][3]string
}

func settingTemplates() []*settingTemplate {
	text, flag, number := "System.String", "System.Boolean", "System.Int32"
	return []*settingTemplate{
		{"62375ab9-6b52-47ed-826b-58e47e0e304b", "Group.Unified", "Settings for Microsoft 365 groups.", [][3]string{
			{"CustomBlockedWordsList", text, ""}, {"EnableMSStandardBlockedWords", flag, "false"}, {"ClassificationDescriptions", text, ""},
			{"DefaultClassification", text, ""}, {"PrefixSuffixNamingRequirement", text, ""}, {"AllowGuestsToBeGroupOwner", flag, "false"},
			{"AllowGuestsToAccessGroups", flag, "true"}, {"GuestUsageGuidelinesUrl", text, ""}, {"GroupCreationAllowedGroupId", "System.Guid", ""},
			{"AllowToAddGuests", flag, "true"}, {"UsageGuidelinesUrl", text, ""}, {"ClassificationList", text, ""}, {"EnableGroupCreation", flag, "true"},
		}},
		{"08d542b9-071f-4e16-94b0-74abb372e3d9", "Group.Unified.Guest", "Settings for one Microsoft 365 group.",
			[][3]string{{"AllowToAddGuests", flag, "true"}}},
		{"4bc7f740-180e-4586-adb6-38b2e9024e6b", "Application", "Settings for applications.",
			[][3]string{{"EnableAccessCheckForPrivilegedApplicationUpdates", flag, "false"}}},
		{"898f1161-d651-43d1-805c-3b0b388a9fc2", "Custom Policy Settings", "Settings for custom policies.",
			[][3]string{{"CustomConditionalAccessPolicyUrl", text, ""}}},
		{"5cf42378-d67d-4f36-ba46-e8b86229381d", "Password Rule Settings", "Settings for passwords.", [][3]string{
			{"LockoutDurationInSeconds", number, "60"}, {"LockoutThreshold", number, "10"}, {"BannedPasswordList", text, ""},
			{"EnableBannedPasswordCheck", flag, "true"},
		}},
		{"80661d51-be2f-4d46-9713-98a2fcaec5bc", "Prohibited Names Settings", "Settings for names.",
			[][3]string{{"CustomBlockedSubStringsList", text, ""}, {"CustomBlockedWholeWordsList", text, ""}}},
		{"aad3907d-1d1a-448b-b3ef-7bf7f63db63b", "Prohibited Names Restricted Settings", "Settings for names that are allowed.", [][3]string{
			{"CustomAllowedSubStringsList", text, ""}, {"CustomAllowedWholeWordsList", text, ""}, {"DoNotValidateAgainstTrademark", flag, "false"},
		}},
	}
}

func findSettingTemplate(id string) *settingTemplate {
	for _, x := range settingTemplates() {
		if strings.EqualFold(x.id, id) {
			return x
		}
	}
	return nil
}

func newGroupSettingTemplateShape() *shape {
	type r = *settingTemplate
	return newShape("groupSettingTemplate", func(x any) string { return x.(r).id },
		f("id", func(x r) any { return x.id }),
		f("deletedDateTime", func(r) any { return nil }),
		f("displayName", func(x r) any { return x.name }),
		f("description", func(x r) any { return x.about }),
		f("values", func(x r) any {
			out := []object{}
			for _, v := range x.values {
				out = append(out, object{{"name", v[0]}, {"type", v[1]}, {"defaultValue", v[2]}, {"description", nil}})
			}
			return out
		}),
	)
}

func newGroupSettingShape() *shape {
	type r = *world.GroupSetting
	return newShape("groupSetting", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("displayName", func(x r) any {
			if t := findSettingTemplate(x.Template); t != nil {
				return t.name
			}
			return nil
		}),
		f("templateId", func(x r) any { return x.Template }),
		f("values", func(x r) any {
			out := []object{}
			if t := findSettingTemplate(x.Template); t != nil {
				for _, v := range t.values {
					out = append(out, object{{"name", v[0]}, {"value", x.Values[v[0]]}})
				}
			}
			return out
		}),
	)
}

var (
	findGroupSetting  = row(func(t *world.Tenant) *world.Table[world.GroupSetting, *world.GroupSetting] { return &t.GroupSettings })
	mayReadSettings   = allow("Directory.Read.All Directory.ReadWrite.All Group.Read.All Group.ReadWrite.All")
	mayChangeSettings = allow("Directory.ReadWrite.All Group.ReadWrite.All").with(entra.RoleGroupsAdministrator, entra.RoleDirectoryWriters)
)

func listSettingTemplates(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.settingTemplate
	return c.show(t, "groupSettingTemplates", sh, slice(settingTemplates(), sh.key))
}

func listGroupSettings(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, "groupSettings", c.g.sh.groupSetting, rows(&t.GroupSettings))
}

// readSetting takes the values of a body over; every value must be of its type.
func (c *call) readSetting(x *world.GroupSetting) error {
	err := (fields{
		"id": readOnly(), "displayName": text().upTo(256), "templateId": text().need(),
		"values": list(obj(fields{"name": text().need(), "value": text().upTo(8000)})).need().upTo(50),
	}).check("", c.in)
	if err != nil {
		return err
	}
	if id := str(c.in, "templateId"); id != "" {
		if x.Template != "" && !strings.EqualFold(x.Template, id) {
			return badRequest("The template of a setting cannot be changed.")
		}
		x.Template = strings.ToLower(id)
	}
	t := findSettingTemplate(x.Template)
	if t != nil && given(c.in, "displayName") && str(c.in, "displayName") != t.name {
		return badRequest("The displayName of a setting is that of its template, '%s'.", t.name)
	}
	if t == nil {
		return badRequest("The settings template '%s' does not exist.", clip(x.Template))
	}
	next := maps.Clone(x.Values)
	if next == nil {
		next = map[string]string{}
		for _, v := range t.values {
			next[v[0]] = v[2]
		}
	}
	for _, v := range objs(c.in, "values") {
		name, value := str(v, "name"), str(v, "value")
		i := slices.IndexFunc(t.values, func(d [3]string) bool { return d[0] == name })
		if i < 0 {
			return badRequest("The setting '%s' is not part of the template '%s'.", clip(name), t.name)
		}
		ok := true
		switch t.values[i][1] {
		case "System.Boolean":
			ok = strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
		case "System.Int32":
			_, err := strconv.Atoi(value)
			ok = err == nil
		case "System.Guid":
			ok = value == "" || world.IsGUID(value)
		}
		if !ok {
			return badRequest("The value of the setting '%s' is not valid.", name)
		}
		next[name] = value
	}
	x.Values = next
	return nil
}

func settingTarget(x *world.GroupSetting) world.AuditTarget {
	return target("Other", x.ID, findSettingTemplate(x.Template).name)
}

func createGroupSetting(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	x := &world.GroupSetting{ID: world.NewGUID()}
	if err := c.readSetting(x); err != nil {
		return nil, err
	}
	for old := range t.GroupSettings.All() {
		if old.Template == x.Template {
			return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
		}
	}
	t.GroupSettings.Put(x)
	s.Touch(t)
	c.audit(s, t, change{activity: "Create group settings", category: "GroupManagement", operation: "Add", target: settingTarget(x)})
	return c.created(t, "groupSettings", c.g.sh.groupSetting, x)
}

func changeGroupSetting(c *call, s *world.State, t *world.Tenant, x *world.GroupSetting) (*reply, error) {
	next := *x
	if err := c.readSetting(&next); err != nil {
		return nil, err
	}
	ch := change{activity: "Update group settings", category: "GroupManagement", target: settingTarget(x)}
	for _, n := range slices.Sorted(maps.Keys(next.Values)) {
		ch.changed(n, x.Values[n], next.Values[n])
	}
	t.GroupSettings.Put(&next)
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}

func deleteGroupSetting(c *call, s *world.State, t *world.Tenant, x *world.GroupSetting) (*reply, error) {
	t.GroupSettings.Delete(x.ID)
	s.Touch(t)
	c.audit(s, t, change{activity: "Delete group settings", category: "GroupManagement", operation: "Delete", target: settingTarget(x)})
	return noContent()
}

// What is run, in order, and what it must give. Names carry a mark, so that a world
// that was used before is no trouble.

const leftOut = /is not part of the partner cloud/;
const has = (list, f) => Array.isArray(list) && list.some(f);

export function steps({ TENANT, CLIENT_ID, CLIENT_SECRET, DOMAIN, MARK = 'CLI' }) {
  const upn = (n) => `${MARK}-${n}@${DOMAIN}`.toLowerCase();
  const name = (n) => `${MARK} ${n}`;
  return [
    { run: 'login', with: { authType: 'secret', appId: CLIENT_ID, tenant: TENANT, secret: CLIENT_SECRET } },
    { run: 'cli config set', with: { key: 'disableTelemetry', value: 'true' } },
    { run: 'status', want: (o) => o.connectedAs !== undefined },
    { run: 'connection list', want: (o) => o.length === 1 },
    { run: 'tenant id get', with: { domainName: DOMAIN }, want: (o) => JSON.stringify(o).includes(TENANT) },
    { run: 'tenant info get', with: { domainName: DOMAIN }, want: (o) => o.tenantId === TENANT },

    // People.
    {
      run: 'entra user add', keep: 'anna', want: (o) => o.userPrincipalName === upn('anna'),
      with: {
        displayName: name('Anna'), userName: upn('anna'), password: 'Winter!Garden1', firstName: 'Anna', lastName: 'Winter', usageLocation: 'NL',
        jobTitle: 'Engineer', department: 'Delivery', companyName: 'Contoso', officeLocation: '3/12', preferredLanguage: 'nl-NL',
      },
    },
    {
      run: 'entra user add', keep: 'bert', want: (o) => o.id?.length === 36,
      with: (k) => ({ displayName: name('Bert'), userName: upn('bert'), password: 'Winter!Garden2', managerUserId: k.anna.id }),
    },
    { run: 'entra user get', with: { userName: upn('anna'), properties: 'id,companyName,officeLocation,preferredLanguage' }, want: (o) => o.companyName === 'Contoso' && o.officeLocation === '3/12' },
    { run: 'entra user get', with: { userName: upn('bert'), withManager: true }, want: (o, k) => o.manager?.displayName === name('Anna') },
    { run: 'entra user set', with: (k) => ({ id: k.anna.id, jobTitle: 'Lead', companyName: 'Contoso BV', managerUserName: undefined }) },
    { run: 'entra user set', with: (k) => ({ id: k.bert.id, removeManager: true }) },
    { run: 'entra user get', with: { userName: upn('anna'), properties: 'jobTitle,companyName' }, want: (o) => o.jobTitle === 'Lead' && o.companyName === 'Contoso BV' },
    { run: 'entra user list', with: { properties: 'userPrincipalName' }, want: (o) => has(o, (u) => u.userPrincipalName === upn('anna')) },
    { run: 'entra user list', with: { type: 'Guest' } },
    { run: 'entra user guest add', with: { emailAddress: `${MARK.toLowerCase()}-guest@elsewhere.example`, displayName: name('Guest') }, want: (o) => o.invitedUser?.id?.length === 36 },
    { run: 'entra license list', keep: 'skus', want: (o) => o.length > 0 },
    { run: 'entra user license add', with: (k) => ({ userId: k.anna.id, ids: k.skus[0].skuId }) },
    { run: 'entra user license list', with: (k) => ({ userId: k.anna.id }), want: (o, k) => has(o, (l) => l.skuId === k.skus[0].skuId), refused: /requires delegated permissions/ },
    { run: 'entra user license remove', with: (k) => ({ userId: k.anna.id, ids: k.skus[0].skuId }) },
    { run: 'entra user session revoke', with: (k) => ({ userId: k.anna.id }) },
    { run: 'entra user registrationdetails list', with: { isMfaCapable: true }, want: (o) => o.length > 0 && o.every((r) => r.isMfaCapable) },
    { run: 'entra user signin list', with: { appDisplayName: 'Azure Portal' } },
    { run: 'entra user password validate', with: { password: 'short' }, want: (o) => o.isValid === false },

    // Groups.
    { run: 'entra group add', keep: 'group', with: (k) => ({ displayName: name('Group'), description: 'by CLI', type: 'security', ownerUserNames: upn('anna'), memberUserNames: upn('bert') }), want: (o) => o.securityEnabled },
    { run: 'entra group add', keep: 'm365', with: { displayName: name('Team'), type: 'microsoft365', mailNickname: `${MARK}team`, visibility: 'Private' }, want: (o) => o.groupTypes?.includes('Unified') },
    { run: 'entra group get', with: (k) => ({ id: k.group.id }), want: (o) => o.description === 'by CLI' },
    { run: 'entra group get', with: { displayName: name('Group') }, want: (o, k) => o.id === k.group.id },
    { run: 'entra group list', want: (o) => has(o, (g) => g.displayName === name('Group')) },
    { run: 'entra group list', with: { type: 'security' }, want: (o) => o.every((g) => g.securityEnabled) },
    { run: 'entra group set', with: (k) => ({ id: k.group.id, newDisplayName: name('Group 2'), description: 'changed' }) },
    { run: 'entra group member list', with: (k) => ({ groupId: k.group.id }), want: (o) => has(o, (u) => u.userPrincipalName === upn('bert')) && has(o, (u) => u.userPrincipalName === upn('anna')) },
    { run: 'entra group member add', with: (k) => ({ groupId: k.group.id, userIds: k.anna.id, role: 'Member' }) },
    { run: 'entra group member set', with: (k) => ({ groupId: k.group.id, userIds: k.bert.id, role: 'Owner' }) },
    { run: 'entra group member list', with: (k) => ({ groupId: k.group.id, role: 'Owner' }), want: (o) => has(o, (u) => u.userPrincipalName === upn('bert')) },
    { run: 'entra group member remove', with: (k) => ({ groupId: k.group.id, userIds: k.anna.id, role: 'Member' }) },
    { run: 'entra user groupmembership list', with: (k) => ({ userId: k.bert.id }) },
    { run: 'entra m365group add', keep: 'unified', with: { displayName: name('Unified'), mailNickname: `${MARK}unified`, owners: upn('anna') }, want: (o) => o.id?.length === 36 },
    { run: 'entra m365group get', with: (k) => ({ id: k.unified.id }), want: (o) => o.displayName === name('Unified') },
    { run: 'entra m365group list', want: (o) => has(o, (g) => g.displayName === name('Unified')) },
    { run: 'entra m365group set', with: (k) => ({ id: k.unified.id, description: 'changed' }) },
    { run: 'entra m365group user add', with: (k) => ({ groupId: k.unified.id, userNames: upn('bert') }) },
    { run: 'entra m365group user list', with: (k) => ({ groupId: k.unified.id }), want: (o) => has(o, (u) => u.userPrincipalName === upn('bert')) },
    { run: 'entra m365group user set', with: (k) => ({ groupId: k.unified.id, userNames: upn('bert'), role: 'Owner' }) },
    { run: 'entra m365group user remove', with: (k) => ({ groupId: k.unified.id, userNames: upn('bert') }) },
    { run: 'entra m365group renew', with: (k) => ({ id: k.unified.id }) },
    { run: 'entra m365group remove', with: (k) => ({ id: k.unified.id }), refused: leftOut }, // it asks SharePoint first
    { run: 'entra group remove', with: (k) => ({ id: k.unified.id }) },
    { run: 'entra m365group recyclebinitem list', want: (o) => has(o, (g) => g.displayName === name('Unified')) },
    { run: 'entra m365group recyclebinitem restore', with: (k) => ({ id: k.unified.id }) },
    { run: 'entra m365group get', with: (k) => ({ id: k.unified.id }), want: (o) => o.displayName === name('Unified') },
    { run: 'entra group remove', with: (k) => ({ id: k.unified.id }) },
    { run: 'entra m365group recyclebinitem remove', with: (k) => ({ id: k.unified.id }) },
    { run: 'entra m365group recyclebinitem clear' },

    // Group settings.
    { run: 'entra groupsettingtemplate list', keep: 'templates', want: (o) => has(o, (t) => t.displayName === 'Group.Unified') },
    { run: 'entra groupsettingtemplate get', with: { displayName: 'Group.Unified' }, keep: 'unifiedTemplate', want: (o) => o.values.length > 3 },
    { run: 'entra groupsetting add', keep: 'setting', with: (k) => ({ templateId: k.unifiedTemplate.id, EnableGroupCreation: 'false' }), want: (o) => o.id?.length === 36 },
    { run: 'entra groupsetting list', want: (o) => o.length > 0 },
    { run: 'entra groupsetting get', with: (k) => ({ id: k.setting.id }), want: (o) => has(o.values, (v) => v.name === 'EnableGroupCreation' && v.value === 'false') },
    { run: 'entra groupsetting set', with: (k) => ({ id: k.setting.id, EnableGroupCreation: 'true' }) },
    { run: 'entra groupsetting remove', with: (k) => ({ id: k.setting.id }) },

    // Administrative units.
    { run: 'entra administrativeunit add', keep: 'unit', with: { displayName: name('Unit'), description: 'north' }, want: (o) => o.id?.length === 36 },
    { run: 'entra administrativeunit get', with: { displayName: name('Unit') }, want: (o, k) => o.id === k.unit.id },
    { run: 'entra administrativeunit list', want: (o) => has(o, (u) => u.displayName === name('Unit')) },
    { run: 'entra administrativeunit member add', with: (k) => ({ administrativeUnitId: k.unit.id, userName: upn('anna') }) },
    { run: 'entra administrativeunit member list', with: (k) => ({ administrativeUnitId: k.unit.id }), want: (o, k) => has(o, (m) => m.id === k.anna.id) },
    { run: 'entra administrativeunit member get', with: (k) => ({ administrativeUnitId: k.unit.id, id: k.anna.id }), want: (o, k) => o.id === k.anna.id },
    { run: 'entra administrativeunit roleassignment add', with: (k) => ({ administrativeUnitId: k.unit.id, roleDefinitionName: 'User Administrator', userName: upn('bert') }), want: (o, k) => o.directoryScopeId === `/administrativeUnits/${k.unit.id}` },
    { run: 'entra administrativeunit member remove', with: (k) => ({ administrativeUnitId: k.unit.id, id: k.anna.id }) },
    { run: 'entra administrativeunit remove', with: (k) => ({ id: k.unit.id }) },

    // Roles.
    { run: 'entra roledefinition list', want: (o) => has(o, (r) => r.displayName === 'Global Administrator') },
    { run: 'entra roledefinition get', with: { displayName: 'Security Reader' }, want: (o) => o.isBuiltIn },
    { run: 'entra roledefinition add', keep: 'role', with: { displayName: name('Role'), allowedResourceActions: ['microsoft.directory/groups.unified/create', 'microsoft.directory/groups.unified/delete'], description: 'own' }, want: (o) => !o.isBuiltIn },
    { run: 'entra roledefinition set', with: (k) => ({ id: k.role.id, newDisplayName: name('Role 2') }) },
    { run: 'entra roledefinition remove', with: (k) => ({ id: k.role.id }) },
    { run: 'entra roleassignment add', with: { roleDefinitionName: 'Reports Reader', principal: upn('anna') }, want: (o) => o.directoryScopeId === '/' },
    { run: 'entra pim role assignment list', want: (o) => Array.isArray(o) },
    { run: 'entra pim role assignment eligibility list', want: (o) => Array.isArray(o) },
    { run: 'entra pim role request list', want: (o) => Array.isArray(o) },
    { run: 'entra pim role assignment add', with: { roleDefinitionName: 'Message Center Reader', userName: upn('anna'), justification: 'work', duration: 'PT8H' }, refused: /application permissions/ }, // this version's own rule
    { run: 'entra pim role assignment remove', with: { roleDefinitionName: 'Message Center Reader', userName: upn('anna') }, refused: /does not exist/ },
    { run: 'entra resourcenamespace list', refused: leftOut },
    { run: 'entra rolepermission list', with: { resourceNamespace: 'microsoft.directory' }, refused: leftOut },

    // Applications.
    {
      run: 'entra app add', keep: 'app', want: (o) => o.appId?.length === 36 && o.secrets?.length === 1,
      with: { name: name('App'), redirectUris: 'https://app.example/signin', platform: 'web', withSecret: true, apisApplication: 'https://graph.microsoft.com/User.Read.All', apisDelegated: 'https://graph.microsoft.com/User.Read' },
    },
    { run: 'entra app get', with: (k) => ({ appId: k.app.appId }), want: (o) => o.displayName === name('App') },
    { run: 'entra app list', want: (o) => has(o, (a) => a.displayName === name('App')) },
    { run: 'entra app set', with: (k) => ({ appId: k.app.appId, redirectUris: 'https://app.example/spa', platform: 'spa', allowPublicClientFlows: true }) },
    { run: 'entra app role add', with: (k) => ({ appId: k.app.appId, name: 'Managers', description: 'Managers', allowedMembers: 'usersGroups', claim: 'managers' }) },
    { run: 'entra app role list', with: (k) => ({ appId: k.app.appId }), want: (o) => has(o, (r) => r.value === 'managers') },
    { run: 'entra app role remove', with: (k) => ({ appId: k.app.appId, claim: 'managers' }) },
    { run: 'entra app permission add', with: (k) => ({ appId: k.app.appId, applicationPermissions: 'https://graph.microsoft.com/Group.Read.All' }) },
    { run: 'entra app permission list', with: (k) => ({ appId: k.app.appId }), want: (o) => JSON.stringify(o).includes('Group.Read.All') },
    { run: 'entra app permission remove', with: (k) => ({ appId: k.app.appId, applicationPermissions: 'https://graph.microsoft.com/Group.Read.All' }) },
    { run: 'entra enterpriseapp add', keep: 'sp', with: (k) => ({ id: k.app.appId }), want: (o, k) => o.appId === k.app.appId },
    { run: 'entra enterpriseapp get', with: (k) => ({ id: k.app.appId }), want: (o) => o.displayName === name('App') },
    { run: 'entra enterpriseapp list', want: (o) => has(o, (s) => s.displayName === name('App')) },
    { run: 'entra approleassignment add', with: (k) => ({ appId: k.app.appId, resource: 'Microsoft Graph', scopes: ['User.Read.All'] }) },
    { run: 'entra approleassignment list', with: (k) => ({ appId: k.app.appId }), want: (o) => has(o, (a) => a.roleName === 'User.Read.All') },
    { run: 'entra approleassignment remove', with: (k) => ({ appId: k.app.appId, resource: 'Microsoft Graph', scopes: ['User.Read.All'] }) },
    { run: 'entra enterpriseapp get', keep: 'graph', with: { displayName: 'Microsoft Graph' }, want: (o) => o.id?.length === 36 },
    { run: 'entra oauth2grant add', with: (k) => ({ clientId: k.sp.id, resourceId: k.graph.id, scope: 'User.Read' }) },
    { run: 'entra oauth2grant list', keep: 'grants', with: (k) => ({ spObjectId: k.sp.id }), want: (o) => o.length === 1 },
    { run: 'entra oauth2grant set', with: (k) => ({ grantId: k.grants[0].objectId ?? k.grants[0].id, scope: 'User.Read Group.Read.All' }) },
    { run: 'entra oauth2grant remove', with: (k) => ({ grantId: k.grants[0].objectId ?? k.grants[0].id }) },
    { run: 'entra enterpriseapp remove', with: (k) => ({ id: k.app.appId }) },
    { run: 'entra app remove', with: (k) => ({ appId: k.app.appId }) },

    // The tenant.
    { run: 'entra organization list', want: (o) => o[0].id === TENANT },
    { run: 'entra organization set', with: { id: TENANT, technicalNotificationMails: [`ops@${DOMAIN}`] } },
    ...['authorization', 'conditionalAccess', 'authenticationMethods', 'authenticationStrength', 'adminConsentRequest', 'authenticationFlows', 'claimsMapping',
      'crossTenantAccess', 'homeRealmDiscovery', 'identitySecurityDefaultsEnforcement', 'permissionGrant', 'tokenIssuance',
      'tokenLifetime', 'activityBasedTimeout'].map((type) => ({ run: 'entra policy list', with: { type } })),
    { run: 'entra policy list', with: { type: 'roleManagement' }, refused: leftOut },
    { run: 'graph subscription add', refused: leftOut, with: { resource: 'me/messages', changeTypes: 'updated', notificationUrl: 'https://x.example' } },
    { run: 'request', with: { url: '@graph/users?$top=1&$select=id', method: 'get' }, want: (o) => o.value.length === 1 },

    // The recycle bin, last: who is gone stays gone.
    { run: 'entra user remove', with: (k) => ({ id: k.bert.id }) },
    { run: 'entra user recyclebinitem list', want: (o, k) => has(o, (u) => u.id === k.bert.id) },
    { run: 'entra user recyclebinitem restore', with: (k) => ({ id: k.bert.id }) },
    { run: 'entra user get', with: (k) => ({ id: k.bert.id }), want: (o) => o.displayName === name('Bert') },
    { run: 'entra user remove', with: (k) => ({ id: k.bert.id }) },
    { run: 'entra user recyclebinitem remove', with: (k) => ({ id: k.bert.id }) },
    { run: 'entra user remove', with: (k) => ({ id: k.anna.id }) },
    { run: 'entra user recyclebinitem clear' },
    { run: 'entra group remove', with: (k) => ({ id: k.group.id }) },
    { run: 'entra group remove', with: (k) => ({ id: k.m365.id }) },
    { run: 'logout' },
  ];
}

// The offer's id stands behind the # of the link, where no server sees it.
const found = /granularAdminRelationships\/([0-9A-Za-z-]{1,100})/i.exec(location.hash);
if (found) location.replace("/AdminPortal/partners/invitation/granularAdminRelationships/" + found[1]);

export function AdminPage() { return <p>admin</p>; }

import { ChoiceField, ObjectField } from '../../common/fields.js';
import type { Visibility } from '../../contracts/shapes.js';
import { VISIBILITIES } from './clone.dto.js';
import { CREDENTIALS_FIELD, type CredentialsDto } from './credentials.dto.js';

export class RepositoryChangeDto {
  @ChoiceField({ values: VISIBILITIES, enumName: 'Visibility', description: '`shared`: every key may read it.' })
  visibility?: Visibility;

  @ObjectField({
    ...CREDENTIALS_FIELD,
    description: `For its updates, in place of those that it has. By its owner only. ${CREDENTIALS_FIELD.description}`,
  })
  credentials?: CredentialsDto;
}
